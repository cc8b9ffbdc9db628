package bridge_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// awaitNote returns when a call's timeline has an event.
func awaitNote(t *testing.T, c *bridge.Call, notes <-chan string, name string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case got := <-notes:
			if got == name {
				return
			}
		case <-deadline:
			t.Fatalf("no %s in %v", name, names(c))
		}
	}
}

// noted runs a call whose events can be waited for.
func noted(t *testing.T, l bridge.Leg, agent bridge.Agent) (*bridge.Call, <-chan string) {
	t.Helper()
	notes := make(chan string, 1000)
	c := bridge.New(bridge.Config{
		Facts: bridge.Facts{ID: "call-1"}, Leg: l, Agent: agent,
		Observe: func(e bridge.Event) { notes <- e.Name },
	})
	go func() { _ = c.Run(t.Context()) }()
	t.Cleanup(func() {
		c.End(media.OperatorHungUp)
		await(t, c.Ended(), "the call to end")
	})
	return c, notes
}

// instant is an agent that stops at once when the caller seems to speak. Its
// provider hears nothing below its own, high, threshold.
func instant(provider realtime.Provider, threshold float64, window time.Duration) bridge.Agent {
	return bridge.Agent{
		Providers:  []realtime.Provider{provider},
		Greeting:   bridge.Greeting{Say: "Greet."},
		BargeIn:    bridge.BargeIn{Mode: bridge.BargeInInstant, Window: window},
		Properties: realtime.Properties{TurnDetection: &realtime.TurnDetection{Type: "server_vad", Threshold: &threshold}},
	}
}

func TestAnInstantPauseThatIsConfirmedInterruptsAtTheSample(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{Voice: realtimetest.Tone(20 * time.Second)})
	l := newLeg()
	c, notes := noted(t, l, instant(provider, 0.5, time.Minute))
	await(t, l.answered, "the answer")
	l.await(t, 25)
	l.speak(loud(100 * time.Millisecond))
	awaitNote(t, c, notes, bridge.EventPause)
	if got := l.take(3); len(got) != 0 {
		t.Errorf("%d bytes after the pause", len(got))
	}
	l.speak(loud(500 * time.Millisecond))
	s := session(t, server, 0)
	waitEvent(t, s, "conversation.item.truncated", 1)
	if got := s.Truncations(); len(got) != 1 || got[0].AudioEndMS != 500 || got[0].Error != nil {
		t.Errorf("truncations %+v, want one at 500 ms", got)
	}
}

func TestAnInstantPauseThatIsNotConfirmedLosesNothing(t *testing.T) {
	for name, ahead := range map[string]bool{"exact leg": false, "leg that buffers": true} {
		t.Run(name, func(t *testing.T) {
			server, provider := serve(t, realtimetest.Config{})
			inner := newLeg()
			var l bridge.Leg = inner
			heard := 25 * media.FrameBytes
			if ahead {
				heard -= 1000 // the far end had not played the last 125 ms
				l = &bufferingLeg{leg: inner, heard: int64(heard), flushes: make(chan struct{}, 1)}
			}
			// Quiet enough for a cough of -42 dBFS not to pass for its echo; the
			// provider's threshold is at -30.
			want := attenuated(realtimetest.ToneAudio(realtimetest.PCMU, 2*time.Second))
			agent := instant(provider, 1, 20*time.Millisecond)
			agent.Greeting = bridge.Greeting{Audio: want}
			c, notes := noted(t, l, agent)
			await(t, inner.answered, "the answer")
			first := inner.await(t, 25)
			inner.speak(attenuated(attenuated(loud(100 * time.Millisecond))))
			inner.speak(quiet(media.PCMU, 100*time.Millisecond))
			awaitNote(t, c, notes, bridge.EventPause)
			awaitNote(t, c, notes, bridge.EventGoOn)
			rest := inner.await(t, (len(want)-heard)/media.FrameBytes)
			if !bytes.Equal(first, want[:len(first)]) || !bytes.Equal(rest, want[heard:heard+len(rest)]) {
				t.Error("the agent did not go on at the sample where it stopped")
			}
			if n := len(session(t, server, 0).Truncations()); n != 0 {
				t.Errorf("%d truncations", n)
			}
		})
	}
}

func TestTheAgentsEchoDoesNotInterruptIt(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{Voice: realtimetest.Tone(3 * time.Second)})
	l := newLeg()
	c, _ := noted(t, l, instant(provider, 0.1, time.Minute))
	await(t, l.answered, "the answer")
	// Played back 120 ms later and 18 dB quieter, as a loudspeaker would.
	var line [][]byte
	heard := 0
	for heard < 24000 {
		frame := l.await(t, 1)
		heard += len(frame)
		line = append(line, attenuated(frame))
		if len(line) > 6 {
			l.speak(line[0])
			line = line[1:]
		}
	}
	s := session(t, server, 0)
	if err := s.Wait(within(t), func() bool { return s.InputBytes() > 0 }); err != nil {
		t.Errorf("the caller's line was cut altogether: the provider's clock stands still: %v", err)
	}
	end(t, c)
	if n := names(c); count(n, bridge.EventPause) != 0 || count(n, bridge.EventCallerStarts) != 0 {
		t.Errorf("the echo was taken for the caller: %v", n)
	}
}
