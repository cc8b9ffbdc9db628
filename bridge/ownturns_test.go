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

// ownTurns is an agent whose provider detects no turns.
func ownTurns(provider realtime.Provider) bridge.Agent {
	return bridge.Agent{
		Providers:  []realtime.Provider{provider},
		Properties: realtime.Properties{TurnDetection: &realtime.TurnDetection{Type: "none"}},
	}
}

func TestTurnsAreMadeHereWhenTheProviderMakesNone(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{Voice: realtimetest.Tone(20 * time.Second)})
	l := newLeg()
	call(t, l, ownTurns(provider))
	await(t, l.answered, "the answer")
	said := loud(600 * time.Millisecond)
	l.speak(quiet(media.PCMU, time.Second))
	l.speak(said)
	l.speak(quiet(media.PCMU, 700*time.Millisecond))
	s := session(t, server, 0)
	waitEvent(t, s, "response.done", 1)
	input := s.Input()
	at := bytes.Index(input, said)
	if at < int(media.Bytes(300*time.Millisecond)) {
		t.Fatalf("the turn of %d bytes has what was said at %d: the pre-roll is missing", len(input), at)
	}
	if most := media.Bytes(1700 * time.Millisecond); int64(len(input)) > most {
		t.Errorf("%d bytes sent, silence before the turn included", len(input))
	}

	l.await(t, 30)
	l.speak(loud(200 * time.Millisecond))
	waitEvent(t, s, "conversation.item.truncated", 1)
	if got := s.Truncations(); len(got) != 1 || got[0].AudioEndMS != 600 || got[0].Error != nil {
		t.Errorf("truncations %+v, want one at 600 ms", got)
	}
	for _, v := range s.Violations() {
		// A cancel may cross the end of the response on the wire.
		if v.Event != "response.cancel" {
			t.Errorf("violation: %+v", v)
		}
	}
}

func TestARunningResponseIsCancelledWhenTheProviderDoesNot(t *testing.T) {
	hold := make(chan struct{})
	server, provider := serve(t, realtimetest.Config{Voice: func(turn realtimetest.Turn) realtimetest.Reply {
		r := realtimetest.Speak(realtimetest.ToneAudio(realtimetest.PCMU, time.Second), "Tone.")
		r.Until = hold
		return r
	}})
	defer close(hold)
	l := newLeg()
	call(t, l, ownTurns(provider))
	await(t, l.answered, "the answer")
	l.speak(loud(400 * time.Millisecond))
	l.speak(quiet(media.PCMU, 700*time.Millisecond))
	l.await(t, 10)
	l.speak(loud(200 * time.Millisecond))
	waitEvent(t, session(t, server, 0), "response.cancel", 1)
	waitEvent(t, session(t, server, 0), "response.done", 1)
}

func TestDigitsAreToldAsOneEntry(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{})
	l := newLeg()
	c := call(t, l, bridge.Agent{Providers: []realtime.Provider{provider}})
	await(t, l.answered, "the answer")
	<-l.started
	for _, d := range "12#" {
		l.up.Digit(media.Digit(d))
	}
	s := session(t, server, 0)
	waitEvent(t, s, "response.created", 1)
	if !told(s, "The caller pressed: 1 2 #") {
		t.Errorf("the model was not told: %+v", s.Items())
	}
	// Speech ends an entry, too, and brings its own response.
	l.up.Digit('5')
	l.speak(loud(400 * time.Millisecond))
	l.speak(quiet(media.PCMU, 700*time.Millisecond))
	if err := s.Wait(within(t), func() bool { return told(s, "The caller pressed: 5") }); err != nil {
		t.Fatalf("the second entry was not told: %v", err)
	}
	if n := count(names(c), bridge.EventDigit); n != 4 {
		t.Errorf("%d digits in %v", n, names(c))
	}
}

// told reports whether a session was sent a message with a text.
func told(s *realtimetest.Session, text string) bool {
	for _, e := range s.Events() {
		if !e.Sent && e.Type == "conversation.item.create" && bytes.Contains(e.Raw, []byte(text)) {
			return true
		}
	}
	return false
}
