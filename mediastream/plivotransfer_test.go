package mediastream_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// refusing is an API that answers with a status, and counts.
type refusing struct {
	status, requests int
}

func (r *refusing) RoundTrip(*http.Request) (*http.Response, error) {
	if r.requests++; r.status == 0 {
		return nil, errors.New("not reached")
	}
	return &http.Response{StatusCode: r.status, Body: http.NoBody}, nil
}

func TestTransfersThatPlivoRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		api    *refusing
		target string
		want   string
	}{
		"no key":      {nil, "+14155550199", "media_streams.plivo.auth_id"},
		"no target":   {&refusing{status: 202}, "sales", "neither a number"},
		"gone":        {&refusing{status: 404}, "+14155550199", "the call has ended"},
		"refused":     {&refusing{status: 400}, "+14155550199", "status 400"},
		"ill":         {&refusing{status: 503}, "+14155550199", "status 503"},
		"not reached": {&refusing{}, "+14155550199", "not reached"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
				cfg := mediastream.Config{Handler: answer(&ear{}, newMouth(), streams, ended)}
				if tt.api != nil {
					cfg.API = mediastream.NewPlivoAPI(mediastream.CarrierAPIConfig{Account: "MA1", Secret: token, Transport: tt.api})
				}
				call, over := dial(t, serveCarrier(t, mediastream.Plivo, cfg).phoneOf(mediastream.Plivo), &ear{}, newMouth())
				if err := next(t, streams).Transfer(t.Context(), tt.target); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v", err)
				}
				if tt.api != nil && tt.api.status != 0 && tt.api.requests > 1 {
					t.Errorf("asked %d times: the target would ring again", tt.api.requests)
				}
				time.Sleep(5 * time.Second)
				select {
				case err := <-ended:
					t.Fatalf("the call has ended with %v", err)
				default:
				}
				_ = call.Hangup(t.Context(), nil)
				next(t, over)
				if err := next(t, ended); !errors.Is(err, media.CallerHungUp) {
					t.Errorf("ended with %v", err)
				}
			})
		})
	}
}

func TestOnlyPlivoLearnsWhomToDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := serveCarrier(t, mediastream.Plivo, mediastream.Config{Handler: answer(&ear{}, newMouth(), nil, nil)})
		status, body := g.post(t, "/plivo/dial?target=%2B14155550199", url.Values{"CallUUID": {"1"}}, func(*http.Request) {})
		if status != http.StatusForbidden {
			t.Errorf("%d %s", status, body)
		}
	})
}

func TestATransferAtPlivoIsAskedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams, ended := make(chan *mediastream.Stream, 1), make(chan error, 1)
		api := &mediastreamtest.PlivoAPI{ID: "MA1", Token: token}
		g := serveCarrier(t, mediastream.Plivo, mediastream.Config{
			Handler: answer(&ear{}, newMouth(), streams, ended),
			API:     mediastream.NewPlivoAPI(mediastream.CarrierAPIConfig{Account: "MA1", Secret: token, Transport: api}),
		})
		phone := g.phoneOf(mediastream.Plivo)
		phone.Plivo = api
		_, over := dial(t, phone, &ear{}, newMouth())
		s := next(t, streams)
		if err := s.Transfer(t.Context(), "+14155550199"); err != nil {
			t.Fatal(err)
		}
		if err := s.Hangup(t.Context(), media.AgentHungUp); err != nil {
			t.Error(err)
		}
		next(t, over)
		next(t, ended)
		api.Wait()
		if diff := cmp.Diff([]string{"transfer"}, api.Requests()); diff != "" {
			t.Error("the transferred call was not left alone", diff)
		}
	})
}
