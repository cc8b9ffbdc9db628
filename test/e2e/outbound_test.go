package e2e_test

import (
	"errors"
	"testing"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/internal/admin"
)

// TestOneGatewayCallsAnother places a call out: the caller's agent is ready when
// the callee's picks up, and both hear each other.
func TestOneGatewayCallsAnother(t *testing.T) {
	t.Parallel()
	callee := start(t, Setup{})
	out := start(t, Setup{Agent: "greeting: {say: Introduce yourself.}"})
	id, err := out.Call(within(t), admin.Outbound{To: "sip:" + calledNumber + "@" + callee.SIP().String(), From: callerNumber})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []*Gateway{out, callee} {
		session, err := g.Provider.WaitSession(within(t), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := session.WaitEvent(within(t), "input_audio_buffer.speech_started", 1); err != nil {
			t.Errorf("an agent hears nothing of the other: %v", err)
		}
	}
	call := out.Registry().Call(id)
	if call == nil {
		t.Fatal("the call is not registered under its id")
	}
	if state := call.State(); state != bridge.Talking {
		t.Errorf("the call is %v", state)
	}
}

// TestACallOutThatNobodyTakesEnds calls where nobody is, and whom nobody knows.
func TestACallOutThatNobodyTakesEnds(t *testing.T) {
	t.Parallel()
	callee := start(t, Setup{More: "dialplan: [{name: none, reject: {code: 486}}]"})
	out := start(t, Setup{})
	id, err := out.Call(within(t), admin.Outbound{To: "sip:" + calledNumber + "@" + callee.SIP().String(), From: callerNumber})
	if err != nil {
		t.Fatal(err)
	}
	if call := out.Registry().Call(id); call != nil {
		await(t, call.Ended(), "the call out to end")
	}
	if _, err := out.Call(within(t), admin.Outbound{To: "sip:x@127.0.0.1", Agent: "nobody"}); !errors.Is(err, admin.ErrRequest) {
		t.Errorf("an agent that does not exist: %v", err)
	}
}
