package mediastream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// controlTelnyx serves calls of a Call Control application.
func controlTelnyx(t *testing.T, key string, cfg mediastream.Config) (*gateway, *mediastreamtest.TelnyxAPI, mediastreamtest.Config) {
	t.Helper()
	api := &mediastreamtest.TelnyxAPI{Key: "KEY1"}
	cfg.API = mediastream.NewTelnyxAPI(mediastream.CarrierAPIConfig{Secret: key, Transport: api})
	g := serveCarrier(t, mediastream.Telnyx, cfg)
	phone := g.phoneOf(mediastream.Telnyx)
	phone.Telnyx, phone.CallSID = api, "v3:a/b+c"
	return g, api, phone
}

func TestCallControlAnswersAndHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said, agent := speech(2*media.SampleRate), speech(2*media.SampleRate)
		up, down, ended, streams := &ear{}, newMouth(agent), make(chan error, 1), make(chan *mediastream.Stream, 1)
		_, api, phone := controlTelnyx(t, "KEY1", mediastream.Config{Handler: answer(up, down, streams, ended)})
		phone.Record = true
		call, over := dial(t, phone, &ear{}, newMouth(said))
		s := next(t, streams)
		if s.From() != phone.From || s.To() != phone.To || s.CallSID() != phone.CallSID {
			t.Errorf("call %q from %q to %q", s.CallSID(), s.From(), s.To())
		}
		time.Sleep(3 * time.Second)
		if err := s.Hangup(t.Context(), media.AgentHungUp); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, media.AgentHungUp) {
			t.Errorf("stream ended with %v", err)
		}
		if err := <-over; !strings.Contains(err.Error(), "the gateway hangs up") {
			t.Errorf("phone ended with %v", err)
		}
		noViolations(t, call)
		if diff := cmp.Diff([]string{"answer", "hangup"}, api.Commands()); diff != "" {
			t.Error(diff)
		}
		if pieces := call.Recording(); len(pieces) != 1 || !bytes.Equal(pieces[0].Audio, agent) {
			t.Error("the caller did not hear what the agent said")
		}
		if got := bytes.TrimLeft(up.heard(), "\xFF"); !bytes.HasPrefix(got, said) {
			t.Error("the gateway did not hear what the caller said")
		}
	})
}

func TestCallControlRejects(t *testing.T) {
	for cause, want := range map[media.Cause]string{media.Busy: "busy", media.NoRoute: "rejected"} {
		synctest.Test(t, func(t *testing.T) {
			_, api, phone := controlTelnyx(t, "KEY1", mediastream.Config{
				Say:     func(media.Cause) string { return "" },
				Handler: func(ctx context.Context, s *mediastream.Stream) { _ = s.Hangup(ctx, cause) },
			})
			_, err := mediastreamtest.Dial(t.Context(), phone)
			var refused *mediastreamtest.RejectedError
			if !errors.As(err, &refused) || refused.Reason != want {
				t.Errorf("%v, want %s", err, want)
			}
			if diff := cmp.Diff([]string{"reject"}, api.Commands()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCallControlThatIsRefusedEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		_, api, phone := controlTelnyx(t, "wrong", mediastream.Config{Handler: answer(&ear{}, newMouth(), nil, ended)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := mediastreamtest.Dial(ctx, phone); err == nil {
			t.Error("answered")
		}
		if err := <-ended; media.CauseOf(err) != media.CallerCancelled {
			t.Errorf("ended with %v", err)
		}
		if commands := api.Commands(); commands != nil {
			t.Errorf("obeyed %v", commands)
		}
	})
}

func TestEventsOfCallControl(t *testing.T) {
	const initiated = `{"data":{"event_type":"call.initiated","payload":{"call_control_id":"v3:1","from":"+1","to":"+2","direction":"DIRECTION"}}}`
	for name, tt := range map[string]struct {
		keyless bool
		body    string
		want    int
	}{
		"a call out is not ours":      {false, strings.Replace(initiated, "DIRECTION", "outgoing", 1), 200},
		"an event of another call":    {false, `{"data":{"event_type":"call.hangup","payload":{"call_control_id":"v3:2"}}}`, 200},
		"streaming has begun":         {false, `{"data":{"event_type":"streaming.started","id":"0","payload":{"call_control_id":"v2:T","stream_url":"wss://x"},"record_type":"event"}}`, 200},
		"without a key":               {true, strings.Replace(initiated, "DIRECTION", "incoming", 1), 400},
		"no call":                     {false, `{"data":{"event_type":"call.initiated","payload":{}}}`, 400},
		"no type":                     {false, `{"data":{}}`, 400},
		"no JSON":                     {false, `{"data":`, 400},
		"a payload that is no object": {false, `{"data":{"event_type":"call.hangup","payload":[]}}`, 400},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler := func(context.Context, *mediastream.Stream) { t.Error("served") }
				var g *gateway
				if tt.keyless {
					g = serveCarrier(t, mediastream.Telnyx, mediastream.Config{Handler: handler})
				} else {
					g, _, _ = controlTelnyx(t, "KEY1", mediastream.Config{Handler: handler})
				}
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://gateway.test/telnyx/voice", strings.NewReader(tt.body))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/json")
				for name, value := range telnyxSigned(time.Now(), tt.body) {
					r.Header.Set(name, value)
				}
				if status, body := g.do(t, r); status != tt.want {
					t.Errorf("%d %s, want %d", status, body, tt.want)
				}
			})
		})
	}
}

func TestACallerWhoGivesUpIsToldOfByCallControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		g, _, _ := controlTelnyx(t, "KEY1", mediastream.Config{
			Handler: func(ctx context.Context, s *mediastream.Stream) { ended <- s.Run(ctx, &ear{}, newMouth()) },
		})
		for _, event := range []string{"call.initiated", "call.hangup"} {
			body := `{"data":{"event_type":"` + event + `","payload":{"call_control_id":"v3:1","from":"+1","to":"+2","direction":"incoming"}}}`
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://gateway.test/telnyx/voice", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			for name, value := range telnyxSigned(time.Now(), body) {
				r.Header.Set(name, value)
			}
			if status, _ := g.do(t, r); status != http.StatusOK {
				t.Errorf("%s: %d", event, status)
			}
			time.Sleep(time.Second)
		}
		if err := <-ended; media.CauseOf(err) != media.CallerCancelled {
			t.Errorf("ended with %v", err)
		}
	})
}

// TestACallThatIsToldOfTwiceAtOnceIsServedOnce sends the event of each call by two
// connections at the same time.
func TestACallThatIsToldOfTwiceAtOnceIsServedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 50
		var served atomic.Int64
		api := &refusing{status: http.StatusOK}
		g := serveCarrier(t, mediastream.Telnyx, mediastream.Config{
			API: mediastream.NewTelnyxAPI(mediastream.CarrierAPIConfig{Secret: "KEY1", Transport: api}),
			Handler: func(ctx context.Context, s *mediastream.Stream) {
				served.Add(1)
				time.Sleep(time.Second)
				_ = s.Hangup(ctx, media.Busy)
			},
		})
		var telling sync.WaitGroup
		for i := range calls {
			body := fmt.Sprintf(`{"data":{"event_type":"call.initiated","payload":{"call_control_id":"v3:%d","from":"+1","to":"+2","direction":"incoming"}}}`, i)
			for range 2 {
				telling.Go(func() {
					r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://gateway.test/telnyx/voice", strings.NewReader(body))
					if err != nil {
						t.Error(err)
						return
					}
					r.Header.Set("Content-Type", "application/json")
					for name, value := range telnyxSigned(time.Now(), body) {
						r.Header.Set(name, value)
					}
					if status, text := g.do(t, r); status != http.StatusOK {
						t.Errorf("%d %s", status, text)
					}
				})
			}
		}
		telling.Wait()
		time.Sleep(5 * time.Second)
		if n := served.Load(); n != calls || api.count() != calls {
			t.Errorf("%d calls were served, and %d commands sent, of %d", n, api.count(), calls)
		}
	})
}
