package mediastream_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

// replay sends the signed webhook of a call.
func (g *gateway) replay(t *testing.T, path, call string, more ...string) (status int, body string) {
	t.Helper()
	form := callForm()
	form.Set("CallSid", call)
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return g.post(t, path, form, func(r *http.Request) {
		r.Header.Set("X-Twilio-Signature", mediastream.Sign(token, public+path, form))
	})
}

func TestAWebhookIsGoodForOneCall(t *testing.T) {
	for name, busy := range map[string]bool{"that was answered": false, "that was refused": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				served, ended := 0, make(chan error, 1)
				g := newGateway(t, mediastream.Config{Handler: func(ctx context.Context, s *mediastream.Stream) {
					if served++; busy {
						_ = s.Hangup(ctx, media.Busy)
						return
					}
					answer(&ear{}, newMouth(), nil, ended)(ctx, s)
				}})
				if busy {
					if _, body := g.replay(t, "/twilio/voice", callSID); !strings.Contains(body, "busy") {
						t.Errorf("refused with %s", body)
					}
				} else {
					cfg := g.phone()
					cfg.CallSID = callSID
					call, over := dial(t, cfg, &ear{}, newMouth())
					time.Sleep(time.Second)
					_ = call.Hangup(t.Context(), nil)
					next(t, over)
					next(t, ended)
				}
				time.Sleep(time.Hour)
				for _, path := range []string{"/twilio/voice", "/twilio/after?target=%2B14155550199"} {
					status, body := g.replay(t, path, callSID, "DialCallStatus", "busy", "CallStatus", "in-progress")
					if status != http.StatusOK || !strings.Contains(body, "<Reject") && !strings.Contains(body, "<Hangup") || strings.Contains(body, "<Connect") {
						t.Errorf("%s: %d %s", path, status, body)
					}
				}
				if served != 1 {
					t.Errorf("served %d times", served)
				}
			})
		})
	}
}

func TestACarrierThatHasGivenUpMayAskAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served := 0
		g := newGateway(t, mediastream.Config{Handler: func(ctx context.Context, s *mediastream.Stream) {
			if served++; served > 1 {
				_ = s.Hangup(ctx, media.Busy)
				return
			}
			_ = s.Run(ctx, &ear{}, newMouth())
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		form := callForm()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://gateway.test/twilio/voice", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Twilio-Signature", mediastream.Sign(token, public+"/twilio/voice", form))
		client := http.Client{Transport: &http.Transport{DialContext: g.net.DialContext, DisableKeepAlives: true}}
		if response, err := client.Do(r); err == nil {
			_ = response.Body.Close()
			t.Error("it was answered")
		}
		time.Sleep(time.Second)
		if _, body := g.replay(t, "/twilio/voice", callSID); !strings.Contains(body, "busy") || served != 2 {
			t.Errorf("served %d times: %s", served, body)
		}
	})
}

func TestCallsThatAreOverAreNotRememberedForEver(t *testing.T) {
	s := mediastream.NewSettled()
	for i := range 3 * mediastream.MaxSettled {
		s.Add(fmt.Sprint(i), i%2 == 0)
		s.Add(fmt.Sprint(i), false)
	}
	if n := s.Len(); n != mediastream.MaxSettled {
		t.Errorf("%d are remembered", n)
	}
	for i, want := range map[int]bool{0: false, 2*mediastream.MaxSettled - 1: false, 2 * mediastream.MaxSettled: true, 3*mediastream.MaxSettled - 1: true} {
		if got := s.Over(fmt.Sprint(i), false); got != want {
			t.Errorf("call %d: %t", i, got)
		}
	}
	s.Add("away", true)
	if s.Over("away", true) || !s.Over("away", false) {
		t.Error("a call that was transferred may come back, and not ring again")
	}
}
