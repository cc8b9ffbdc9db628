package bridge_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

func TestAFailedResponseIsAskedForOnceMore(t *testing.T) {
	for name, c := range map[string]struct {
		failures int32
		want     media.Cause // 0: the call goes on
	}{
		"one failure":  {1, 0},
		"two failures": {2, media.ProviderLost},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			_, provider := serve(t, realtimetest.Config{Voice: func(turn realtimetest.Turn) realtimetest.Reply {
				if asked.Add(1) <= c.failures {
					return realtimetest.Fail(&realtimetest.Error{Type: "server_error", Code: "server_error", Message: "sorry"})
				}
				return realtimetest.Greet(turn)
			}})
			l := newLeg()
			call(t, l, bridge.Agent{
				Providers: []realtime.Provider{provider},
				Greeting:  bridge.Greeting{Say: "Greet."},
			})
			if c.want == 0 {
				l.await(t, 10)
				return
			}
			if cause := l.cause(t); media.CauseOf(cause) != c.want {
				t.Errorf("hung up for %v, want %v", cause, c.want)
			}
		})
	}
}

func TestAReplyThatDoesNotComeIsAskedFor(t *testing.T) {
	var asked atomic.Int32
	_, provider := serve(t, realtimetest.Config{Voice: func(turn realtimetest.Turn) realtimetest.Reply {
		reply := realtimetest.Greet(turn)
		if asked.Add(1) == 1 {
			reply.Latency = time.Hour // begun, and then forgotten
		}
		return reply
	}})
	l := newLeg()
	c := bridge.New(bridge.Config{
		Facts: bridge.Facts{ID: "call-1"}, Leg: l,
		Agent:        bridge.Agent{Providers: []realtime.Provider{provider}},
		ReplyTimeout: time.Millisecond,
	})
	go func() { _ = c.Run(t.Context()) }()
	await(t, l.answered, "the answer")
	l.speak(loud(400 * time.Millisecond))
	l.speak(quiet(media.PCMU, 700*time.Millisecond))
	l.await(t, 10)
	end(t, c)
}
