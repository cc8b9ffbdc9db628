package bridge_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// dropping drops a server's first session at the n-th event of a type.
func dropping(event string, n int) func(int) realtimetest.Fault {
	return func(session int) realtimetest.Fault {
		if session > 0 {
			return realtimetest.Fault{}
		}
		return realtimetest.Fault{Triggers: []realtimetest.Trigger{{On: event, Nth: n, Do: (*realtimetest.Session).Drop}}}
	}
}

// observed is call, with the names of its events as they happen.
func observed(t *testing.T, l bridge.Leg, agent bridge.Agent) (*bridge.Call, func(name string)) {
	t.Helper()
	events := make(chan string, 1000)
	c := bridge.New(bridge.Config{
		Facts: bridge.Facts{ID: "call-1", Leg: "test"}, Leg: l, Agent: agent,
		Log:     zerolog.New(zerolog.NewTestWriter(t)),
		Observe: func(e bridge.Event) { events <- e.Name },
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { _ = c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		await(t, c.Ended(), "the call to end")
	})
	return c, func(name string) {
		t.Helper()
		for {
			select {
			case got := <-events:
				if got == name {
					return
				}
			case <-time.After(patience):
				t.Fatalf("no %s in %v", name, names(c))
			}
		}
	}
}

func occurrences(list []string, name string) (n int) {
	for _, s := range list {
		if s == name {
			n++
		}
	}
	return n
}

func TestACallGoesOnWhenItsSessionIsLostInMidSentence(t *testing.T) {
	const received = 8 * time.Second / 10
	server, provider := serve(t, realtimetest.Config{
		Fault: dropping("response.output_audio.delta", 4),
		Pace:  &realtimetest.Pace{Rate: 50, Shortest: 200 * time.Millisecond, Longest: 200 * time.Millisecond},
		Voice: func(turn realtimetest.Turn) realtimetest.Reply {
			if turn.Session.Number == 0 {
				return realtimetest.Speak(realtimetest.ToneAudio(realtimetest.PCMU, 20*time.Second), strings.Repeat("Hello there. ", 30))
			}
			return realtimetest.Speak(realtimetest.ToneAudio(realtimetest.PCMU, time.Second), "As I was saying.")
		},
	})
	l := newLeg()
	c, wait := observed(t, l, bridge.Agent{Providers: []realtime.Provider{provider}, Greeting: bridge.Greeting{Say: "Greet."}})
	await(t, l.answered, "the answer")
	wait(bridge.EventRestored)
	now := session(t, server, 1)
	waitEvent(t, now, "response.done", 1)

	// What was received of the first sentence is heard, then the rest.
	frames := int((received + time.Second) / media.FrameDuration)
	l.await(t, frames-2)
	list := names(c)
	if occurrences(list, bridge.EventGreeting) != 1 || occurrences(list, bridge.EventSessionLost) != 1 || occurrences(list, bridge.EventSessionOpen) != 1 {
		t.Errorf("timeline: %v", list)
	}
	for _, e := range now.Events() {
		if e.Type == "response.create" && strings.Contains(string(e.Raw), "Greet.") {
			t.Errorf("greeted again: %s", e.Raw)
		}
	}
	if items := now.Items(); len(items) != 2 || !strings.HasPrefix(items[0].Content[0].Text, "Hello there.") {
		t.Errorf("items at the new server: %+v", items)
	}

	// And the caller is answered.
	l.speak(loud(600 * time.Millisecond))
	l.speak(quiet(l.codec, time.Second))
	waitEvent(t, now, "response.done", 2)
	if v := now.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}

func TestTheNextProviderTakesACallOver(t *testing.T) {
	_, first := serve(t, realtimetest.Config{Fault: func(n int) realtimetest.Fault {
		if n > 0 {
			return realtimetest.Fault{Refuse: 503}
		}
		return realtimetest.Fault{Triggers: []realtimetest.Trigger{{On: "input_audio_buffer.append", Do: realtimetest.CloseWith(1000, "")}}}
	}})
	second, other := serve(t, realtimetest.Config{})
	other.Name = "other"
	l := newLeg()
	_, wait := observed(t, l, bridge.Agent{Providers: []realtime.Provider{first, other}})
	await(t, l.answered, "the answer")
	l.speak(loud(600 * time.Millisecond))
	l.speak(quiet(l.codec, time.Second))
	wait(bridge.EventRestored)
	waitEvent(t, session(t, second, 0), "response.done", 1)
	if v := session(t, second, 0).Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}
