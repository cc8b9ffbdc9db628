package realtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

func TestEveryCallIsAnsweredAndSpokenOfOnce(t *testing.T) {
	handle := func(f func() (any, error)) func(context.Context, realtime.FunctionCall) (any, error) {
		return func(context.Context, realtime.FunctionCall) (any, error) { return f() }
	}
	value := func(v any) func(context.Context, realtime.FunctionCall) (any, error) {
		return handle(func() (any, error) { return v, nil })
	}
	const fault = `{"error":"`
	for _, c := range []struct {
		name      string
		handle    func(context.Context, realtime.FunctionCall) (any, error)
		arguments string
		outcome   realtime.FunctionOutcome
		want      string // the output, or its beginning if it ends in …
	}{
		{"a word", value("sunny <&>"), `{"city":"Bonn"}`, realtime.FunctionOK, "sunny <&>"},
		{"no word", value(""), `{"city":"Bonn"}`, realtime.FunctionOK, ""},
		{"zero", value(0), `{"city":"Bonn"}`, realtime.FunctionOK, "0"},
		{"no", value(false), `{"city":"Bonn"}`, realtime.FunctionOK, "false"},
		{"nothing", value(nil), `{"city":"Bonn"}`, realtime.FunctionOK, "null"},
		{"an empty list", value([]int{}), `{"city":"Bonn"}`, realtime.FunctionOK, "[]"},
		{"an object", value(map[string]any{"sky": "a<b"}), `{"city":"Bonn"}`, realtime.FunctionOK, `{"sky":"a<b"}`},
		{"JSON", value(json.RawMessage(`{"a": 1}`)), `{"city":"Bonn"}`, realtime.FunctionOK, `{"a": 1}`},
		{"no JSON", value(json.RawMessage(nil)), `{"city":"Bonn"}`, realtime.FunctionOK, "null"},
		{"bad JSON", value(json.RawMessage(`{"a":`)), `{"city":"Bonn"}`, realtime.FunctionOK, `{"a":`},
		{"something huge", value(strings.Repeat("ä", 20_000)), `{"city":"Bonn"}`, realtime.FunctionOK, strings.Repeat("ä", 16_384) + "… (cut off: 40000 bytes in all)"},
		{"what has no JSON", value(make(chan int)), `{"city":"Bonn"}`, realtime.FunctionFailed, fault + "its result cannot be put in words…"},
		{"what panics as JSON", value(explosive{}), `{"city":"Bonn"}`, realtime.FunctionFailed, fault + "the function has failed; do without it\"}"},
		{"an error", handle(func() (any, error) { return 1, errors.New("no such town") }), `{"city":"Bonn"}`, realtime.FunctionFailed, fault + "no such town\"}"},
		{"a panic", handle(func() (any, error) { panic("secret") }), `{"city":"Bonn"}`, realtime.FunctionFailed, fault + "the function has failed; do without it\"}"},
		{"an exit", handle(func() (any, error) { runtime.Goexit(); return nil, nil }), `{"city":"Bonn"}`, realtime.FunctionFailed, fault + "the function has failed; do without it\"}"},
		{"an argument of the wrong type", value("never"), `{"city":7}`, realtime.FunctionInvalid, fault + "the arguments do not fit the tool's parameters: city must be of type string, not number; correct them and call again\"}"},
		{"no arguments", value("never"), ``, realtime.FunctionInvalid, fault + "the arguments do not fit the tool's parameters: city is missing…"},
		{"half of the arguments", value("never"), `{"city":"Bo`, realtime.FunctionInvalid, fault + "the arguments are not valid JSON…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var started []realtime.FunctionStarted
				if c.outcome != realtime.FunctionInvalid {
					started = []realtime.FunctionStarted{{Name: "weather", CallID: "c1"}}
				}
				w := craft(t, realtime.Config{Functions: []realtime.Function{{Name: "weather", Parameters: cityParameters, Handle: c.handle}}},
					realtimetest.Reply{Items: []realtimetest.Output{{Call: &realtimetest.Call{ID: "c1", Name: "weather", Arguments: c.arguments}}}})
				w.ask()
				w.check(2, map[string]realtime.FunctionOutcome{"c1": c.outcome})
				got := of[realtime.FunctionStarted](w)
				for i := range got {
					got[i].ItemID = ""
				}
				if diff := cmp.Diff(started, got); diff != "" {
					t.Errorf("started (-want +got):\n%s", diff)
				}
				output, ok := w.outputs()["c1"]
				if begin, open := strings.CutSuffix(c.want, "…"); !ok || output != c.want && !(open && strings.HasPrefix(output, begin)) {
					t.Errorf("output = %.200q, want %.200q", output, c.want)
				}
				if strings.Contains(output, "secret") {
					t.Error("the model is told what a panic says")
				}
			})
		})
	}
}

// explosive panics when it is encoded.
type explosive struct{}

func (explosive) MarshalJSON() ([]byte, error) { panic("secret") }

func TestAnUnknownFunctionIsAnsweredToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := craft(t, realtime.Config{Functions: []realtime.Function{returns("b", 1, nil), returns("a", 1, nil)}}, calls("invented", "a"))
		w.ask()
		w.check(2, map[string]realtime.FunctionOutcome{"c1": realtime.FunctionUnknown, "c2": realtime.FunctionOK})
		want := map[string]string{"c1": `{"error":"there is no function \"invented\"; there are a, b"}`, "c2": "1"}
		if diff := cmp.Diff(want, w.outputs()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for _, e := range of[realtime.FunctionFinished](w) {
			if e.CallID == "c1" && e.Name != "unknown" {
				t.Errorf("the model's name %q is told", e.Name)
			}
		}
	})
}

func TestCallsOfOneResponseRunInParallelAndAreSpokenOfTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gates := []chan struct{}{make(chan struct{}), make(chan struct{}), make(chan struct{})}
		w := craft(t, realtime.Config{Functions: []realtime.Function{
			gated("f0", gates[0]), gated("f1", gates[1]), gated("f2", gates[2]),
		}}, calls("f0", "f1", "f2"))
		w.ask()
		if n := len(of[realtime.FunctionStarted](w)); n != 3 {
			t.Fatalf("%d run", n)
		}
		for i := 2; i >= 0; i-- {
			if n := w.asked(); n != 1 {
				t.Errorf("%d responses were asked for with %d calls open", n, i+1)
			}
			close(gates[i])
			synctest.Wait()
		}
		w.check(2, map[string]realtime.FunctionOutcome{"c1": "ok", "c2": "ok", "c3": "ok"})
		if diff := cmp.Diff(map[string]string{"c1": "f0", "c2": "f1", "c3": "f2"}, w.outputs()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestAnswersWaitForTheEndOfTheirResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		until := make(chan struct{})
		reply := calls("f", "f")
		reply.Until = until
		w := craft(t, realtime.Config{Functions: []realtime.Function{returns("f", "x", nil)}}, reply)
		w.ask()
		if len(w.outputs()) != 2 || w.asked() != 1 {
			t.Errorf("%d answers, %d requests while the response runs", len(w.outputs()), w.asked())
		}
		close(until)
		w.check(2, map[string]realtime.FunctionOutcome{"c1": "ok", "c2": "ok"})
	})
}

func TestARequestThatWaitsMaySpeakOfTheAnswersAsWell(t *testing.T) {
	for _, c := range []struct {
		name    string
		request realtime.ResponseRequest
		asked   int
	}{
		{"a plain one", realtime.ResponseRequest{}, 2},
		{"one with a label", realtime.ResponseRequest{Metadata: map[string]string{"a": "b"}}, 2},
		{"one that says something else", realtime.ResponseRequest{Instructions: "Ask for patience."}, 3},
		{"one that knows nothing", realtime.ResponseRequest{Input: []realtime.Item{}}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				until := make(chan struct{})
				reply := calls("f")
				reply.Until = until
				w := craft(t, realtime.Config{Functions: []realtime.Function{returns("f", "x", nil)}}, reply)
				w.ask()
				if err := w.Respond(c.request); err != nil {
					t.Fatal(err)
				}
				close(until)
				w.check(c.asked, map[string]realtime.FunctionOutcome{"c1": "ok"})
			})
		})
	}
}

func TestFunctionsInTheBetaDialect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		temperature := 0.8 // which no other dialect has
		w := craft(t, realtime.Config{
			Properties: realtime.Properties{Temperature: &temperature},
			Functions:  []realtime.Function{returns("f", 0, nil), returns("g", "", nil)},
		}, calls("f", "g"))
		w.ask()
		w.check(2, map[string]realtime.FunctionOutcome{"c1": "ok", "c2": "ok"})
		if diff := cmp.Diff(map[string]string{"c1": "0", "c2": ""}, w.outputs()); diff != "" || !w.server.Beta {
			t.Errorf("beta %v (-want +got):\n%s", w.server.Beta, diff)
		}
	})
}

func TestAFailedResponseDoesNotLoseItsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		reply := calls("f")
		reply.Status, reply.Error = "failed", &realtimetest.Error{Type: "server_error", Message: "oops"}
		w := craft(t, realtime.Config{Functions: []realtime.Function{gated("f", gate)}}, reply)
		w.ask()
		if done := of[realtime.ResponseDone](w); len(done) != 1 || done[0].Response.Status != "failed" {
			t.Fatalf("%+v", done)
		}
		close(gate)
		w.check(2, map[string]realtime.FunctionOutcome{"c1": "ok"})
	})
}

func TestACallThatHangsIsAnsweredAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := waits("f")
		slow.SlowAfter = 3 * time.Second
		w := craft(t, realtime.Config{Functions: []realtime.Function{slow}}, calls("f"))
		w.ask()
		time.Sleep(3*time.Second - 1)
		if n := len(of[realtime.FunctionSlow](w)); n != 0 {
			t.Error("slow too early")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if s := of[realtime.FunctionSlow](w); len(s) != 1 || s[0].Name != "f" || s[0].CallID != "c1" || s[0].After != 3*time.Second {
			t.Errorf("slow = %+v", s)
		}
		time.Sleep(12*time.Second - 1)
		w.check(1, nil)
		time.Sleep(time.Nanosecond)
		w.check(2, map[string]realtime.FunctionOutcome{"c1": "timeout"})
		if got, want := w.outputs()["c1"], `{"error":"f has not answered within 15s; tell the caller that it is not available now"}`; got != want {
			t.Errorf("output = %s", got)
		}
		finished := of[realtime.FunctionFinished](w)[0]
		if !errors.Is(finished.Err, context.DeadlineExceeded) || finished.Took != 15*time.Second {
			t.Errorf("%+v", finished)
		}
		if len(of[realtime.FunctionLate](w)) != 0 {
			t.Error("an error is no late answer")
		}
	})
}

func TestALateAnswerIsDroppedAndReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		f := gated("f", gate)
		f.Timeout = time.Second
		w := craft(t, realtime.Config{Functions: []realtime.Function{f}}, calls("f"))
		w.ask()
		time.Sleep(5 * time.Second)
		w.check(2, map[string]realtime.FunctionOutcome{"c1": "timeout"})
		close(gate)
		w.check(2, map[string]realtime.FunctionOutcome{"c1": "timeout"})
		if late := of[realtime.FunctionLate](w); len(late) != 1 || late[0].Took != 5*time.Second || late[0].Name != "f" {
			t.Errorf("late = %+v", late)
		}
		if output := w.outputs()["c1"]; output == "f" {
			t.Error("the late answer was sent")
		}
	})
}

func TestACallThatComesTwiceRunsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reply := calls("f", "f")
		reply.Items[1].Call.ID = "c1"
		ran := 0
		w := craft(t, realtime.Config{Functions: []realtime.Function{{Name: "f", Handle: func(_ context.Context, call realtime.FunctionCall) (any, error) {
			ran++
			return call.CallID + string(call.Arguments), nil
		}}}}, reply)
		w.ask()
		w.check(2, map[string]realtime.FunctionOutcome{"c1": "ok"})
		if ran != 1 || w.outputs()["c1"] != "c1{}" {
			t.Errorf("ran %d times: %v", ran, w.outputs())
		}
	})
}

func TestAResponseOfQuietCallsIsFollowedByNone(t *testing.T) {
	for _, c := range []struct {
		name  string
		calls []string
		asked int
	}{
		{"all quiet", []string{"quiet", "quiet"}, 1},
		{"one is not", []string{"quiet", "loud"}, 2},
		{"one fails", []string{"quiet", "failing"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				quiet, failing := returns("quiet", "done", nil), returns("failing", nil, errors.New("no"))
				quiet.Quiet, failing.Quiet = true, true
				w := craft(t, realtime.Config{Functions: []realtime.Function{quiet, failing, returns("loud", 1, nil)}}, calls(c.calls...))
				w.ask()
				synctest.Wait()
				if n := w.asked(); n != c.asked {
					t.Errorf("asked %d times, want %d", n, c.asked)
				}
				if n := len(w.outputs()); n != 2 {
					t.Errorf("%d answers", n)
				}
			})
		})
	}
}

func TestTooManyCallsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reply realtimetest.Reply
		for i := range 40 {
			reply.Items = append(reply.Items, realtimetest.Output{Call: &realtimetest.Call{ID: fmt.Sprint(i), Name: "f", Arguments: "{}"}})
		}
		gate := make(chan struct{})
		w := craft(t, realtime.Config{Functions: []realtime.Function{gated("f", gate)}}, reply)
		w.ask()
		if run, refused := len(of[realtime.FunctionStarted](w)), len(w.outputs()); run != 32 || refused != 8 {
			t.Errorf("%d run, %d are refused", run, refused)
		}
		close(gate)
		synctest.Wait()
		if len(w.outputs()) != 40 || w.asked() != 2 {
			t.Errorf("%d answers, %d requests", len(w.outputs()), w.asked())
		}
	})
}

func TestCallsThatAreNotOursAreLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := craft(t, realtime.Config{
			Properties: realtime.Properties{Tools: []realtime.Tool{{Name: "own"}}},
			Functions:  []realtime.Function{returns("f", 1, nil)},
		}, calls("own"), calls("f"))
		w.ask()
		if err := w.Respond(realtime.ResponseRequest{Conversation: "none", Metadata: map[string]string{"a": "b"}}); err != nil {
			t.Fatal(err)
		}
		w.check(2, nil) // neither the program's own tool nor a call outside of the conversation
		if len(of[realtime.OutputItemDone](w)) != 2 {
			t.Error("the program is not told")
		}
	})
}

func TestTheEndOfTheSessionEndsItsCalls(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*workshop)
		want error
	}{
		{"closed", func(w *workshop) { w.Close() }, realtime.ErrClosed},
		{"cancelled", func(w *workshop) { w.cancel(errors.New("hung up")) }, nil},
		{"lost", func(w *workshop) { w.server.Drop() }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := craft(t, realtime.Config{Functions: []realtime.Function{waits("f")}}, calls("f", "f"))
				w.ask()
				began := time.Now()
				c.end(w)
				<-w.result
				if took := time.Since(began); took > time.Second {
					t.Errorf("the end took %v", took)
				}
				finished := of[realtime.FunctionFinished](w)
				if len(finished) != 2 || finished[0].Outcome != realtime.FunctionInterrupted || finished[0].Err == nil {
					t.Fatalf("%+v", finished)
				}
				if c.want != nil && !errors.Is(finished[0].Err, c.want) {
					t.Errorf("cause = %v", finished[0].Err)
				}
				if n := len(w.outputs()); n != 0 {
					t.Errorf("%d were answered", n)
				}
			})
		})
	}
}
