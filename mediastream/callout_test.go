package mediastream_test

import (
	"context"
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

// callOut is a call to a phone.
func callOut() mediastream.Outbound {
	return mediastream.Outbound{To: "+14155550177", From: "+14155550123"}
}

// events returns an observer, and what it was told.
func events() (func(mediastream.StatusEvent), func() []string) {
	var got []string
	return func(e mediastream.StatusEvent) { got = append(got, e.Status+e.Stream+e.AnsweredBy) },
		func() []string { return got }
}

func TestACallOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said, agent := speech(3*media.SampleRate), speech(4*media.SampleRate)
		up, heard, ended := &ear{}, &ear{}, make(chan error, 1)
		var placed mediastreamtest.Placed
		c := newCarrier(t, mediastreamtest.APIConfig{
			Callee: func(p mediastreamtest.Placed) mediastreamtest.Callee {
				placed = p
				return mediastreamtest.Callee{After: 7 * time.Second, AnsweredBy: "human", AnsweredAfter: 2 * time.Second}
			},
			Carry: func(ctx context.Context, c *mediastreamtest.Call) {
				_ = c.Run(ctx, heard, newMouth(said))
				noViolations(t, c)
			},
		}, mediastream.Config{Handler: func(context.Context, *mediastream.Stream) { t.Error("a call came in") }})
		out := callOut()
		var observed func() []string
		out.Observe, observed = events()
		out.RingTimeout, out.TimeLimit, out.AMD = 30*time.Second, time.Hour, mediastream.AMDAsync
		out.Params = url.Values{"Campaign": {"spring"}, "From": {"nobody"}}
		streams := make(chan *mediastream.Stream, 1)
		out.Handler = answer(up, newMouth(agent), streams, ended)
		began := time.Now()
		s, err := c.gateway.Call(t.Context(), out)
		if err != nil {
			t.Fatal(err)
		}
		if got := next(t, streams); got != s {
			t.Error("another stream")
		}
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("answered after %v", took)
		}
		want := url.Values{
			"Campaign": {"spring"}, "From": {"+14155550123"}, "To": {"+14155550177"},
			"Direction": {"outbound-api"}, "CallSid": {placed.CallSID}, "AccountSid": {account},
		}
		if diff := cmp.Diff(want, s.Params()); diff != "" {
			t.Error(diff)
		}
		if placed.Timeout != 30*time.Second || placed.TimeLimit != time.Hour {
			t.Errorf("placed %+v", placed)
		}
		if who := s.AnsweredBy(); who != "" {
			t.Errorf("answered by %s, too soon", who)
		}
		time.Sleep(5 * time.Second)
		if who := s.AnsweredBy(); who != "human" {
			t.Errorf("answered by %q", who)
		}
		if got := string(heard.heard()); !strings.Contains(got, string(agent)) {
			t.Error("the phone has not heard the agent whole")
		}
		if got := string(up.heard()); !strings.Contains(got, string(said)) {
			t.Error("the agent has not heard the phone whole")
		}
		if err := s.Hangup(t.Context(), media.AgentHungUp); err != nil {
			t.Error(err)
		}
		if err := next(t, ended); !errors.Is(err, media.AgentHungUp) {
			t.Errorf("ended with %v", err)
		}
		if err := c.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		// What follows is told as long as the stream is known.
		if diff := cmp.Diff([]string{"initiated", "ringing", "in-progress", "stream-started", "human"}, observed()[:5]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCallsOutThatNobodyAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		callee mediastreamtest.Callee
		want   media.Cause
		status string
		took   time.Duration
	}{
		"busy":           {mediastreamtest.Callee{Status: "busy", After: time.Second}, media.Busy, "busy", time.Second},
		"failed":         {mediastreamtest.Callee{Status: "failed"}, media.LegFailed, "failed", 0},
		"nobody answers": {mediastreamtest.Callee{After: time.Hour}, media.NoAnswer, "no-answer", 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCarrier(t, mediastreamtest.APIConfig{Callee: func(mediastreamtest.Placed) mediastreamtest.Callee { return tt.callee }},
					mediastream.Config{Handler: func(context.Context, *mediastream.Stream) {}})
				answered, ended := make(chan error, 1), make(chan error, 1)
				out := callOut()
				out.RingTimeout = 20 * time.Second
				out.Handler = func(ctx context.Context, s *mediastream.Stream) {
					go func() { answered <- s.Answer(ctx) }()
					ended <- s.Run(ctx, &ear{}, newMouth())
				}
				began := time.Now()
				if _, err := c.gateway.Call(t.Context(), out); err != nil {
					t.Fatal(err)
				}
				for _, err := range []error{next(t, answered), next(t, ended)} {
					var failed *mediastream.CallError
					if !errors.As(err, &failed) || failed.Status != tt.status || !errors.Is(err, tt.want) {
						t.Errorf("error %v, want %v", err, tt.want)
					}
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("took %v", took)
				}
				if r := c.Requests(); len(r) != 1 {
					t.Errorf("requests %v", r)
				}
			})
		})
	}
}

func TestACallOutIsGivenUp(t *testing.T) {
	for name, end := range map[string]func(c *carrier, s *mediastream.Stream){
		"hung up":  func(_ *carrier, s *mediastream.Stream) { _ = s.Hangup(context.Background(), media.OperatorHungUp) },
		"shutdown": func(c *carrier, _ *mediastream.Stream) { c.gateway.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCarrier(t, mediastreamtest.APIConfig{Callee: func(mediastreamtest.Placed) mediastreamtest.Callee {
					return mediastreamtest.Callee{After: time.Minute}
				}}, mediastream.Config{Handler: func(context.Context, *mediastream.Stream) {}})
				ended := make(chan error, 1)
				out := callOut()
				out.Handler = func(ctx context.Context, s *mediastream.Stream) { ended <- s.Run(ctx, &ear{}, newMouth()) }
				began := time.Now()
				s, err := c.gateway.Call(t.Context(), out)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(3 * time.Second)
				end(c, s)
				if err := next(t, ended); !errors.Is(err, media.OperatorHungUp) && !errors.Is(err, media.Shutdown) {
					t.Errorf("ended with %v", err)
				}
				synctest.Wait()
				if live := c.Live(); len(live) != 0 || time.Since(began) > 5*time.Second {
					t.Errorf("still rings after %v: %v", time.Since(began), live)
				}
				if _, err := c.gateway.Call(t.Context(), out); name == "shutdown" && !errors.Is(err, media.Shutdown) {
					t.Errorf("a call after the end: %v", err)
				}
			})
		})
	}
}

// Whoever has asked for a call may be gone before the carrier has told which it is.
func TestAnOrderThatNobodyWaitsForIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier(t, mediastreamtest.APIConfig{
			Slow:   3 * time.Second,
			Callee: func(mediastreamtest.Placed) mediastreamtest.Callee { return mediastreamtest.Callee{After: time.Minute} },
		}, mediastream.Config{Handler: func(context.Context, *mediastream.Stream) {}})
		out := callOut()
		out.Handler = func(context.Context, *mediastream.Stream) { t.Error("carried") }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.gateway.Call(ctx, out); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Call() = %v", err)
		}
		time.Sleep(10 * time.Second)
		if live := c.Live(); len(live) != 0 {
			t.Errorf("still rings: %v", live)
		}
	})
}

func TestOrdersThatTheCarrierRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		to    string
		fault mediastreamtest.Fault
		want  media.Cause
		code  int
	}{
		"not a number": {"nobody", mediastreamtest.Fault{}, media.Rejected, 21211},
		"ill":          {"+14155550177", mediastreamtest.Fault{Status: 500}, media.LegFailed, 0},
		"cut":          {"+14155550177", mediastreamtest.Fault{Drop: true}, media.LegFailed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCarrier(t, mediastreamtest.APIConfig{Fault: func(int) mediastreamtest.Fault { return tt.fault }},
					mediastream.Config{Handler: func(context.Context, *mediastream.Stream) { t.Error("carried") }})
				out := callOut()
				out.To = tt.to
				s, err := c.gateway.Call(t.Context(), out)
				var refused *mediastream.RESTError
				if s != nil || !errors.Is(err, tt.want) || !errors.As(err, &refused) || refused.Code != tt.code {
					t.Errorf("error %v", err)
				}
				if n := len(c.Requests()); n != 1 {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

// TestThePhoneIsFasterThanTheAnswer lets everything happen before the carrier
// has told which call it is.
func TestThePhoneIsFasterThanTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended, streams := make(chan error, 1), make(chan *mediastream.Stream, 1)
		c := newCarrier(t, mediastreamtest.APIConfig{Calls: mediastreamtest.Config{}, Slow: 3 * time.Second}, mediastream.Config{
			Handler: answer(&ear{}, newMouth(), streams, ended),
		})
		out := callOut()
		var observed func() []string
		out.Observe, observed = events()
		s, err := c.gateway.Call(t.Context(), out)
		if err != nil {
			t.Fatal(err)
		}
		if got := next(t, streams); got != s {
			t.Error("another stream")
		}
		_ = s.Hangup(t.Context(), media.AgentHungUp)
		next(t, ended)
		if err := c.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"initiated", "ringing", "in-progress", "stream-started"}, observed()[:4]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStatusCallbacksThatWereOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics, reg := newMetrics(t)
		var told []string
		ended := make(chan error, 1)
		g := newGateway(t, mediastream.Config{
			Metrics: metrics,
			Status:  func(e mediastream.StatusEvent) { told = append(told, e.Status) },
			Handler: answer(&ear{}, newMouth(), nil, ended),
		})
		ws := g.begin(t)
		go func() { _ = closedWith(t, ws) }()
		for _, e := range [][2]string{{"in-progress", "2"}, {"ringing", "1"}, {"in-progress", "2"}, {"ringing", ""}, {"completed", "1"}, {"completed", "3"}} {
			form := url.Values{"CallSid": {callSID}, "AccountSid": {account}, "CallStatus": {e[0]}, "SequenceNumber": {e[1]}}
			status, _ := g.post(t, "/twilio/status", form, func(r *http.Request) {
				r.Header.Set("X-Twilio-Signature", mediastream.Sign(token, public+"/twilio/status", form))
			})
			if status != http.StatusNoContent {
				t.Errorf("%v: status %d", e, status)
			}
			synctest.Wait()
			if over := len(ended) > 0; over != (e[1] == "3") {
				t.Errorf("%v: over: %v", e, over)
			}
		}
		if diff := cmp.Diff([]string{"in-progress", "ringing", "completed"}, told); diff != "" {
			t.Error(diff)
		}
		if n := counted(t, reg, "callgw_mediastream_rejected_total", "late"); n != 3 {
			t.Errorf("%v counted", n)
		}
	})
}
