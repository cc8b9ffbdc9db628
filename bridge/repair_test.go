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

func TestACallOutlivesItsSession(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{
		Fault: func(n int) realtimetest.Fault {
			if n > 0 {
				return realtimetest.Fault{}
			}
			return realtimetest.Fault{Triggers: []realtimetest.Trigger{{
				On: "input_audio_buffer.speech_started", Do: (*realtimetest.Session).Drop,
			}}}
		},
	})
	l := newLeg()
	c := call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Greeting:  bridge.Greeting{Say: "Greet."},
	})
	await(t, l.answered, "the answer")
	greeting := realtimetest.GreetingAudio(realtimetest.PCMU)
	if got := l.await(t, len(greeting)/media.FrameBytes); !bytes.Equal(got, greeting[:len(got)]) {
		t.Error("the greeting was not heard")
	}
	said := loud(600 * time.Millisecond)
	l.speak(said)
	l.speak(quiet(l.codec, 700*time.Millisecond))

	second := session(t, server, 1)
	waitEvent(t, second, "response.done", 1)
	if input := second.Input(); !bytes.Contains(input, said) {
		t.Errorf("what the caller said is not among the %d bytes at the new session", len(input))
	}
	end(t, c)
	n := names(c)
	if count(n, bridge.EventSessionLost) != 1 || count(n, bridge.EventRestored) != 1 {
		t.Errorf("timeline %v", n)
	}
	if outputs := second.Outputs(); len(outputs) != 1 || bytes.Equal(outputs[0].Audio, greeting) {
		t.Errorf("the caller was greeted again: %d replies", len(outputs))
	}
}

func TestTheCallerHearsThatTheCallIsStillThere(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{
		Fault: func(n int) realtimetest.Fault {
			if n > 0 {
				return realtimetest.Fault{HandshakeDelay: 1500 * time.Millisecond}
			}
			return realtimetest.Fault{Triggers: []realtimetest.Trigger{{
				On: "input_audio_buffer.append", Do: (*realtimetest.Session).Drop,
			}}}
		},
	})
	l := newLeg()
	call(t, l, bridge.Agent{Providers: []realtime.Provider{provider}})
	await(t, l.answered, "the answer")
	l.speak(quiet(l.codec, 20*time.Millisecond))
	l.await(t, 28)                                            // one beat of the hold tone
	waitEvent(t, session(t, server, 1), "session.updated", 1) // and then it is repaired
}
