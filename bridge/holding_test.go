package bridge_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

func TestACallOnHoldIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHostility(t, bridge.Agent{Limits: bridge.Limits{Silence: 10 * time.Second}}, false)
		defer h.end()
		h.leg.up.Hold(true)
		time.Sleep(time.Hour)
		h.leg.up.Hold(false)
		time.Sleep(9 * time.Second)
		select {
		case cause := <-h.leg.hungUp:
			t.Fatalf("hung up for %v", cause)
		default:
		}
		time.Sleep(2 * time.Second)
		select {
		case cause := <-h.leg.hungUp:
			if media.CauseOf(cause) != media.SilenceLimit {
				t.Errorf("hung up for %v", cause)
			}
		default:
			t.Error("nobody has said a word since the hold, and the call goes on")
		}
	})
}

// reaching is a leg whose transfers ring for a minute, and fail.
type reaching struct{ *leg }

var errNobody = errors.New("the target does not answer")

func (l reaching) Transfer(context.Context, string) error {
	time.Sleep(time.Minute)
	return errNobody
}

func TestACallerWhoIsTransferredIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, ready := &hostility{leg: newLeg()}, make(chan struct{})
		provider, dial, stop := pipe(func(ws *websocket.Conn) { h.serve(ws, ready) })
		h.stop = stop
		h.call = bridge.New(bridge.Config{Leg: reaching{h.leg}, Dial: dial, Agent: bridge.Agent{
			Providers: []realtime.Provider{provider}, Limits: bridge.Limits{Silence: 10 * time.Second},
		}})
		go func() { _ = h.call.Run(t.Context()) }()
		defer h.end()
		<-ready
		<-h.leg.answered
		if err := h.call.Transfer(t.Context(), "+14155550100"); !errors.Is(err, errNobody) {
			t.Errorf("Transfer() = %v", err)
		}
		select {
		case cause := <-h.leg.hungUp:
			t.Errorf("hung up for %v", cause)
		default:
		}
	})
}

// Who goes on hold in the middle of a sentence has said what there is, and the
// model knows why nothing more comes.
func TestTheModelKnowsOfAHold(t *testing.T) {
	for name, turns := range map[string]*realtime.TurnDetection{
		"the provider's turns": nil,
		"turns of our own":     {Type: "none"},
	} {
		t.Run(name, func(t *testing.T) {
			server, provider := serve(t, realtimetest.Config{})
			l := newLeg()
			call(t, l, bridge.Agent{
				Providers: []realtime.Provider{provider}, Properties: realtime.Properties{TurnDetection: turns},
			})
			await(t, l.answered, "the answer")
			s := session(t, server, 0)
			l.speak(loud(600 * time.Millisecond))
			l.up.Hold(true)
			waitEvent(t, s, "input_audio_buffer.committed", 1)
			waitEvent(t, s, "response.created", 1)
			l.up.Hold(false)
			var told []string
			if err := s.Wait(within(t), func() bool {
				told = told[:0]
				for _, item := range s.Items() {
					if item.Role == "system" {
						told = append(told, item.Content[0].Text)
					}
				}
				return len(told) == 2
			}); err != nil {
				t.Fatal(err)
			}
			if want := []string{"The caller has put the call on hold.", "The caller is back from hold."}; !slices.Equal(told, want) {
				t.Errorf("the model was told %q", told)
			}
		})
	}
}
