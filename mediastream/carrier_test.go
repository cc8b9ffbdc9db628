package mediastream_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

const (
	apiKey    = "SK0123456789abcdef0123456789abcdef"
	apiSecret = "api-secret"
)

// carrier is a REST API on an in-memory network, and a gateway that uses it.
type carrier struct {
	*mediastreamtest.API
	gateway *gateway
	rest    *mediastream.REST
}

// newREST serves api and returns a client of it.
func newREST(t *testing.T, api http.Handler, edit func(*mediastream.RESTConfig)) *mediastream.REST {
	t.Helper()
	network := newMemory()
	server := http.Server{Handler: api}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(network); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	cfg := mediastream.RESTConfig{
		BaseURL: "http://api.test", AccountSID: account, APIKey: apiKey, APISecret: apiSecret,
		Transport: &http.Transport{DialContext: network.DialContext},
	}
	if edit != nil {
		edit(&cfg)
	}
	rest, err := mediastream.NewREST(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		rest.CloseIdleConnections()
		_ = server.Close()
		serving.Wait()
	})
	return rest
}

func newCarrier(t *testing.T, api mediastreamtest.APIConfig, cfg mediastream.Config) *carrier {
	t.Helper()
	network := newMemory()
	api.Key, api.Secret = apiKey, apiSecret
	api.Calls = mediastreamtest.Config{
		WebhookURL: "http://gateway.test/twilio/voice", PublicURL: public,
		AuthToken: token, AccountSID: account, Seed: 1, DialContext: network.DialContext,
	}
	c := &carrier{API: mediastreamtest.NewAPI(api)}
	t.Cleanup(func() {
		c.Close()
		for _, v := range c.Violations() {
			t.Errorf("violation: %s", v)
		}
	})
	c.rest = newREST(t, c, nil)
	cfg.REST = c.rest
	c.gateway = serve(t, cfg, network, network)
	return c
}

// phone returns the configuration of a call that the API knows.
func (c *carrier) phone() mediastreamtest.Config {
	cfg := c.gateway.phone()
	cfg.API = c.API
	return cfg
}

// next returns what comes out of a channel.
func next[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(5 * time.Minute): // of the test's clock
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestAHangupEndsTheCallAtTheCarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
		c := newCarrier(t, mediastreamtest.APIConfig{}, mediastream.Config{Handler: answer(&ear{}, newMouth(), streams, ended)})
		_, over := dial(t, c.phone(), &ear{}, newMouth())
		s := next(t, streams)
		for range 2 { // the second has nothing to do
			if err := s.Hangup(t.Context(), media.AgentHungUp); err != nil {
				t.Error(err)
			}
		}
		if err := next(t, ended); !errors.Is(err, media.AgentHungUp) {
			t.Errorf("ended with %v", err)
		}
		// The carrier has stopped the stream; the gateway has not cut it.
		if err := next(t, over); !errors.Is(err, media.OperatorHungUp) {
			t.Errorf("the phone ended with %v", err)
		}
		if n := len(c.Requests()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestACallThatTheCarrierEndedIsNotHungUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		c := newCarrier(t, mediastreamtest.APIConfig{}, mediastream.Config{
			Handler: func(ctx context.Context, s *mediastream.Stream) {
				answer(&ear{}, newMouth(), nil, ended)(ctx, s)
				if err := s.Hangup(ctx, media.CallerHungUp); err != nil {
					t.Error(err)
				}
			},
		})
		call, over := dial(t, c.phone(), &ear{}, newMouth())
		_ = call.Hangup(t.Context(), nil)
		next(t, over)
		if err := next(t, ended); !errors.Is(err, media.CallerHungUp) {
			t.Errorf("ended with %v", err)
		}
		c.gateway.stop()
		if r := c.Requests(); len(r) != 0 {
			t.Errorf("requests %v", r)
		}
	})
}

// TestADeadSocketEndsTheCall lets sockets die in ways in which the carrier might
// keep its caller on the line.
func TestADeadSocketEndsTheCall(t *testing.T) {
	for name, tt := range map[string]struct {
		agent int // seconds of audio
		fault mediastreamtest.Fault
		fail  func(*mediastreamtest.Call)
		want  int // requests
	}{
		"stalled":                           {60, mediastreamtest.Fault{}, (*mediastreamtest.Call).Stall, 1},
		"stalled while nothing plays":       {0, mediastreamtest.Fault{}, (*mediastreamtest.Call).Stall, 1},
		"stalled, too many requests":        {60, mediastreamtest.Fault{Status: 429}, (*mediastreamtest.Call).Stall, 2},
		"stalled, the API is ill":           {60, mediastreamtest.Fault{Status: 503}, (*mediastreamtest.Call).Stall, 2},
		"stalled, the answer is lost":       {60, mediastreamtest.Fault{Drop: true, Late: true}, (*mediastreamtest.Call).Stall, 2},
		"stalled, the connection is lost":   {60, mediastreamtest.Fault{Drop: true}, (*mediastreamtest.Call).Stall, 2},
		"a call that is over is no failure": {60, mediastreamtest.Fault{}, (*mediastreamtest.Call).Crash, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				metrics, reg := newMetrics(t)
				ended := make(chan error, 1)
				c := newCarrier(t, mediastreamtest.APIConfig{Fault: func(n int) mediastreamtest.Fault {
					if n > 0 {
						return mediastreamtest.Fault{}
					}
					return tt.fault
				}}, mediastream.Config{
					Metrics: metrics,
					Handler: answer(&ear{}, newMouth(speech(tt.agent*media.SampleRate)), nil, ended),
				})
				call, over := dial(t, c.phone(), &ear{}, newMouth())
				time.Sleep(2 * time.Second)
				tt.fail(call)
				if err := next(t, ended); !errors.Is(err, media.LegFailed) {
					t.Errorf("ended with %v", err)
				}
				next(t, over)
				time.Sleep(10 * time.Second)
				if live := c.Live(); len(live) != 0 {
					t.Errorf("the carrier still has %v", live)
				}
				if r := c.Requests(); len(r) != tt.want {
					t.Errorf("%d requests, want %d: %v", len(r), tt.want, r)
				}
				if n := counted(t, reg, "callgw_mediastream_faults_total", "hang_up"); n != 0 {
					t.Errorf("%v failures counted", n)
				}
			})
		})
	}
}

func TestAHangupThatTheCarrierRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics, reg := newMetrics(t)
		streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
		c := newCarrier(t, mediastreamtest.APIConfig{Fault: func(int) mediastreamtest.Fault {
			return mediastreamtest.Fault{Status: 500}
		}}, mediastream.Config{Metrics: metrics, Handler: answer(&ear{}, newMouth(), streams, ended)})
		_, over := dial(t, c.phone(), &ear{}, newMouth())
		s := next(t, streams)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Hangup(ctx, media.AgentHungUp); err != nil {
			t.Error(err)
		}
		// The socket was closed, politely and in time.
		if err := next(t, over); !errors.Is(err, media.CallerHungUp) {
			t.Errorf("the phone ended with %v", err)
		}
		next(t, ended)
		c.gateway.stop()
		if n := counted(t, reg, "callgw_mediastream_faults_total", "hang_up"); n != 1 {
			t.Errorf("%v failures counted", n)
		}
	})
}
