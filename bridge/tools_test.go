package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// calling is a voice that speaks and calls a function in its first response, and
// says something else in the later ones.
func calling(name, arguments string, speech time.Duration) realtimetest.Voice {
	var asked atomic.Int32
	return func(turn realtimetest.Turn) realtimetest.Reply {
		if asked.Add(1) > 1 {
			return realtimetest.Greet(turn)
		}
		reply := realtimetest.CallFunction(name, arguments)
		if speech > 0 {
			spoken := realtimetest.Output{Audio: realtimetest.ToneAudio(turn.Settings.Output, speech), Text: "Tone."}
			reply.Items = append([]realtimetest.Output{spoken}, reply.Items...)
		}
		return reply
	}
}

func TestHangingUpWaitsUntilTheFarewellWasHeard(t *testing.T) {
	for name, speech := range map[string]time.Duration{"with a farewell": time.Second, "without a word": 0} {
		t.Run(name, func(t *testing.T) {
			server, provider := serve(t, realtimetest.Config{Voice: calling("hang_up", "{}", speech)})
			l := newLeg()
			c := bridge.New(bridge.Config{
				Facts: bridge.Facts{ID: "call-1"}, Leg: l, GreetingWait: time.Millisecond,
				Agent: bridge.Agent{
					Providers: []realtime.Provider{provider},
					Greeting:  bridge.Greeting{Say: "Say goodbye."},
					Builtins:  []bridge.Builtin{{Kind: bridge.HangUp}},
				},
			})
			go func() { _ = c.Run(t.Context()) }()
			waitEvent(t, session(t, server, 0), "response.done", 1)
			heard := l.await(t, int(media.Bytes(speech))/media.FrameBytes)
			if want := realtimetest.ToneAudio(realtimetest.PCMU, speech); !bytes.Equal(heard, want) {
				t.Errorf("%d bytes heard of %d", len(heard), len(want))
			}
			l.take(1) // the leg finds that there is no more
			if cause := l.cause(t); cause != media.AgentHungUp {
				t.Errorf("hung up for %v", cause)
			}
			await(t, c.Ended(), "the end")
			if n := len(session(t, server, 0).Outputs()); n > 1 {
				t.Errorf("the agent spoke %d times: a response after the hang-up", n)
			}
		})
	}
}

// transferringLeg is a leg that can transfer, or not.
type transferringLeg struct {
	*leg
	targets chan string
	err     error
}

func (l *transferringLeg) Transfer(_ context.Context, target string) error {
	l.targets <- target
	return l.err
}

// target returns whom the leg was asked to transfer to.
func (l *transferringLeg) target(t *testing.T) string {
	t.Helper()
	select {
	case target := <-l.targets:
		return target
	case <-time.After(patience):
		t.Fatal("the leg was not asked to transfer")
		return ""
	}
}

func TestTransfer(t *testing.T) {
	for name, c := range map[string]struct {
		target  string
		err     error
		reached bool // the leg was asked
		ends    bool
		told    string
	}{
		"accepted":    {"+14155550111", nil, true, true, ""},
		"refused":     {"+14155550111", errors.New("486 Busy Here"), true, false, "486 Busy Here"},
		"not allowed": {"+19005550111", nil, false, false, "not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			server, provider := serve(t, realtimetest.Config{
				Voice: calling("transfer", `{"target":"`+c.target+`"}`, 200*time.Millisecond),
			})
			l := &transferringLeg{leg: newLeg(), targets: make(chan string, 1), err: c.err}
			call := call(t, l, bridge.Agent{
				Providers: []realtime.Provider{provider},
				Greeting:  bridge.Greeting{Say: "Transfer."},
				Builtins: []bridge.Builtin{{
					Kind:    bridge.Transfer,
					Allowed: func(target string) bool { return target[:5] == "+1415" },
				}},
			})
			await(t, l.answered, "the answer")
			l.await(t, 10) // what the agent says before is heard out
			l.take(1)
			if c.reached {
				if got := l.target(t); got != c.target {
					t.Errorf("transferred to %q", got)
				}
				if got := fmt.Sprint(call.Timeline()); strings.Contains(got, c.target) {
					t.Errorf("the number is not masked: %s", got)
				}
			}
			if c.ends {
				if cause := l.cause(t); media.CauseOf(cause) != media.Transferred {
					t.Errorf("hung up for %v", cause)
				}
				return
			}
			l.await(t, 10) // the agent says what it makes of it
			if !told(session(t, server, 0), c.told) {
				t.Errorf("the model was not told %q", c.told)
			}
		})
	}
}

func TestDigitsAreSoundedWhereTheLegHasNoKeys(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{Voice: calling("send_dtmf", `{"digits":"1,2"}`, 0)})
	l := newLeg()
	call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Greeting:  bridge.Greeting{Say: "Press keys."},
		Builtins:  []bridge.Builtin{{Kind: bridge.SendDigits}},
	})
	l.await(t, (2*(120+100)+500)/20)
}

func TestASlowToolGivesASignOfLife(t *testing.T) {
	_, provider := serve(t, realtimetest.Config{Voice: calling("lookup", "{}", 0)})
	l := newLeg()
	release := make(chan struct{})
	clip := loud(200 * time.Millisecond)
	c := call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Greeting:  bridge.Greeting{Say: "Look it up."},
		Functions: []realtime.Function{{
			Name: "lookup", SlowAfter: time.Millisecond,
			Handle: func(context.Context, realtime.FunctionCall) (any, error) {
				<-release
				return "found", nil
			},
		}},
		Waits: map[string]bridge.Wait{"lookup": {Audio: clip}},
	})
	if got := l.await(t, 10); !bytes.Equal(got, clip) {
		t.Error("the recording was not heard")
	}
	close(release)
	l.await(t, 10)
	end(t, c)
	if n := count(names(c), bridge.EventFunctionDone); n != 1 {
		t.Errorf("timeline %v", names(c))
	}
}

func TestBadDigitsAreRefused(t *testing.T) {
	c := bridge.New(bridge.Config{Leg: newLeg()})
	for _, digits := range []string{"", "12x", string(make([]byte, 65))} {
		if err := c.SendDigits(t.Context(), digits); err == nil {
			t.Errorf("%q was accepted", digits)
		}
	}
}

// limitedLeg cannot transfer the call that it carries.
type limitedLeg struct{ *transferringLeg }

func (limitedLeg) CanTransfer() bool { return false }

func TestTheModelIsNotOfferedATransferThatTheLegCannotDo(t *testing.T) {
	server, provider := serve(t, realtimetest.Config{Voice: calling("transfer", `{"target":"+14155550111"}`, 0)})
	l := limitedLeg{&transferringLeg{leg: newLeg(), targets: make(chan string, 1)}}
	call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Greeting:  bridge.Greeting{Say: "Transfer."},
		Builtins:  []bridge.Builtin{{Kind: bridge.HangUp}, {Kind: bridge.Transfer, Allowed: func(string) bool { return true }}},
	})
	await(t, l.answered, "the answer")
	l.await(t, 10) // the agent says what it makes of it
	if !told(session(t, server, 0), "there is no function") {
		t.Error("the model was not told that there is no such function")
	}
}
