package realtime_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/realtime"
)

func TestAnInterruptionEndsWhatItIsToEnd(t *testing.T) {
	vad := func(interrupt bool) realtime.Properties {
		return realtime.Properties{TurnDetection: &realtime.TurnDetection{InterruptResponse: &interrupt}}
	}
	for _, c := range []struct {
		name       string
		properties realtime.Properties
		policy     realtime.InterruptPolicy
		interrupt  func(*workshop)
		cut        bool
	}{
		{"the caller speaks: cancel", realtime.Properties{}, realtime.Cancel, func(w *workshop) { w.speak(300*time.Millisecond, true) }, true},
		{"the caller speaks: keep", realtime.Properties{}, realtime.Keep, func(w *workshop) { w.speak(300*time.Millisecond, true) }, false},
		{"the caller may not interrupt", vad(false), realtime.Cancel, func(w *workshop) { w.speak(300*time.Millisecond, true) }, false},
		{"told: cancel", realtime.Properties{}, realtime.Cancel, func(w *workshop) { w.InterruptFunctions() }, true},
		{"told: keep", realtime.Properties{}, realtime.Keep, func(w *workshop) { w.InterruptFunctions() }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var cause error
				gate := make(chan struct{})
				f := realtime.Function{Name: "f", OnInterrupt: c.policy, Handle: func(ctx context.Context, _ realtime.FunctionCall) (any, error) {
					select {
					case <-gate:
						return "done", nil
					case <-ctx.Done():
						cause = context.Cause(ctx)
						return nil, cause
					}
				}}
				w := craft(t, realtime.Config{Properties: c.properties, Functions: []realtime.Function{f}}, calls("f"))
				w.ask()
				c.interrupt(w)
				c.interrupt(w) // twice is once
				synctest.Wait()
				finished := of[realtime.FunctionFinished](w)
				if !c.cut {
					if len(finished) != 0 {
						t.Errorf("ended: %+v", finished)
					}
					close(gate)
					synctest.Wait()
					if got := w.outputs()["c1"]; got != "done" {
						t.Errorf("output = %q", got)
					}
					return
				}
				if len(finished) != 1 || finished[0].Outcome != realtime.FunctionInterrupted || !errors.Is(cause, realtime.ErrInterrupted) {
					t.Errorf("finished %+v, cause %v", finished, cause)
				}
				if got, want := w.outputs()["c1"], `{"error":"f was interrupted by the caller before it was done; call it again if it is still wanted"}`; got != want {
					t.Errorf("output = %s", got)
				}
			})
		})
	}
}

func TestACancelledResponseInterruptsItsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reply := calls("f", "g")
		reply.Until = make(chan struct{})
		f, g := waits("f"), waits("g")
		f.OnInterrupt = realtime.Cancel
		w := craft(t, realtime.Config{Functions: []realtime.Function{f, g}}, reply)
		w.ask()
		if err := w.Cancel(""); err != nil {
			t.Fatal(err)
		}
		w.check(1, map[string]realtime.FunctionOutcome{"c1": realtime.FunctionInterrupted})
		time.Sleep(15 * time.Second)
		w.check(2, map[string]realtime.FunctionOutcome{"c1": realtime.FunctionInterrupted, "c2": realtime.FunctionTimeout})
	})
}

// A turn of the caller's brings a response of its own, which knows the answers
// that were there before it.
func TestTheCallersTurnSpeaksOfAnswersThatCameDuringIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		w := craft(t, realtime.Config{Functions: []realtime.Function{gated("f", gate)}}, calls("f"))
		w.ask()
		w.speak(600*time.Millisecond, true)
		close(gate)
		synctest.Wait()
		if w.outputs()["c1"] != "f" || w.asked() != 1 {
			t.Fatalf("answers %v, %d requests", w.outputs(), w.asked())
		}
		w.speak(time.Second, false)
		if n := len(of[realtime.ResponseDone](w)); n != 2 {
			t.Fatalf("%d responses", n)
		}
		w.check(1, map[string]realtime.FunctionOutcome{"c1": "ok"})
	})
}

// An answer that comes when the response to the caller's turn has begun is not
// known to it: another one is asked for when it is done.
func TestAnAnswerBehindTheCallersTurnIsSpokenOfAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate, until := make(chan struct{}), make(chan struct{})
		second := words("yes?")
		second.Until = until
		w := craft(t, realtime.Config{Functions: []realtime.Function{gated("f", gate)}}, calls("f"), second)
		w.ask()
		w.speak(600*time.Millisecond, true)
		w.speak(time.Second, false)
		if n := len(of[realtime.ResponseCreated](w)); n != 2 {
			t.Fatalf("%d responses", n)
		}
		close(gate)
		synctest.Wait()
		if w.outputs()["c1"] != "f" || w.asked() != 1 {
			t.Fatalf("answers %v, %d requests", w.outputs(), w.asked())
		}
		close(until)
		w.check(2, map[string]realtime.FunctionOutcome{"c1": "ok"})
	})
}

// Without interrupt_response a turn that ends while a response runs stays
// unanswered, so that the answers would stay unspoken of.
func TestATurnThatStaysUnansweredIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		until := make(chan struct{})
		reply := calls("f")
		reply.Until = until
		no := false
		w := craft(t, realtime.Config{
			Properties: realtime.Properties{TurnDetection: &realtime.TurnDetection{InterruptResponse: &no}},
			Functions:  []realtime.Function{returns("f", 1, nil)},
		}, reply)
		w.ask()
		w.speak(600*time.Millisecond, true)
		w.speak(time.Second, false)
		if len(of[realtime.SpeechStopped](w)) != 1 || w.asked() != 1 {
			t.Fatal("no turn")
		}
		close(until)
		w.check(2, map[string]realtime.FunctionOutcome{"c1": "ok"})
	})
}

// When the program answers turns by itself, nothing is asked for while the
// caller speaks, and all the same afterwards.
func TestNothingIsSaidIntoTheCallersWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		no := false
		w := craft(t, realtime.Config{
			Properties: realtime.Properties{TurnDetection: &realtime.TurnDetection{CreateResponse: &no}},
			Functions:  []realtime.Function{gated("f", gate)},
		}, calls("f"))
		w.ask()
		w.speak(600*time.Millisecond, true)
		close(gate)
		w.check(1, map[string]realtime.FunctionOutcome{"c1": "ok"})
		w.speak(time.Second, false)
		w.check(2, map[string]realtime.FunctionOutcome{"c1": "ok"})
	})
}
