package realtime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// workshop is a session with functions at the strict server, over a pipe, so
// that it runs in virtual time.
type workshop struct {
	*realtime.Session
	t      *testing.T
	server *realtimetest.Session
	cancel context.CancelCauseFunc // of Run
	result chan error

	mu     sync.Mutex
	events []realtime.Event
}

func (w *workshop) Audio(realtime.AudioDelta) {}

func (w *workshop) Event(e realtime.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// craft opens a session. The server's replies are given in order; what comes
// after them is a word.
func craft(t *testing.T, cfg realtime.Config, replies ...realtimetest.Reply) *workshop {
	t.Helper()
	w := &workshop{t: t, result: make(chan error, 1)}
	pipes := make(pipeListener)
	var dialects realtimetest.Dialects
	provider := realtime.Provider{BaseURL: "ws://pipe/v1/realtime", Model: "test"}
	if cfg.Properties.Temperature != nil {
		provider.Dialect, dialects = realtime.Beta, realtimetest.BetaOnly
	}
	srv := realtimetest.Serve(pipes, realtimetest.Config{
		Dialects: dialects,
		Pace:     &realtimetest.Pace{},
		Voice: func(turn realtimetest.Turn) realtimetest.Reply {
			if turn.Response < len(replies) {
				return replies[turn.Response]
			}
			return words("word")
		},
	})
	t.Cleanup(srv.Close)
	cfg.Providers = []realtime.Provider{provider}
	cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case pipes <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	cfg.Handler = w
	cfg.Properties.InputAudioFormat, cfg.Properties.OutputAudioFormat = realtime.FormatULaw, realtime.FormatULaw
	w.Session = newSession(t, cfg)
	if err := w.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	w.cancel = cancel
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.result <- w.Run(ctx)
	}()
	t.Cleanup(func() {
		w.Close()
		<-done
		cancel(nil)
	})
	var err error
	if w.server, err = srv.WaitSession(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	return w
}

// words is a reply in words.
func words(text string) realtimetest.Reply {
	return realtimetest.Reply{Items: []realtimetest.Output{{Text: text}}}
}

// calls is a reply of one call for each name, with ids c1, c2, …
func calls(names ...string) realtimetest.Reply {
	var r realtimetest.Reply
	for i, name := range names {
		r.Items = append(r.Items, realtimetest.Output{Call: &realtimetest.Call{ID: "c" + string(rune('1'+i)), Name: name, Arguments: "{}"}})
	}
	return r
}

// callAs is a reply of one call.
func callAs(id, name string) realtimetest.Reply {
	r := calls(name)
	r.Items[0].Call.ID = id
	return r
}

// ask asks for a response and waits until nothing moves any more.
func (w *workshop) ask() {
	w.t.Helper()
	if err := w.Respond(realtime.ResponseRequest{}); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

// speak lets the caller speak for a time, or be silent.
func (w *workshop) speak(d time.Duration, aloud bool) {
	w.t.Helper()
	frame := bytes.Repeat([]byte{0xff}, 160)
	if aloud {
		for i := range frame {
			frame[i] = byte(0x10 + 0x80*(i/8%2))
		}
	}
	for ; d > 0; d -= 20 * time.Millisecond {
		w.Append(frame)
		time.Sleep(20 * time.Millisecond)
	}
	synctest.Wait()
}

// of returns the events of one type so far.
func of[E realtime.Event](w *workshop) []E {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []E
	for _, e := range w.events {
		if e, ok := e.(E); ok {
			all = append(all, e)
		}
	}
	return all
}

// asked returns how many responses the session has asked for.
func (w *workshop) asked() int {
	n := 0
	for _, e := range w.server.Events() {
		if !e.Sent && e.Type == "response.create" {
			n++
		}
	}
	return n
}

// outputs returns the answers that the server has, by call.
func (w *workshop) outputs() map[string]string {
	outputs := map[string]string{}
	for _, item := range w.server.Items() {
		if item.Type == "function_call_output" {
			if _, twice := outputs[item.CallID]; twice {
				w.t.Errorf("%s was answered twice", item.CallID)
			}
			outputs[item.CallID] = item.Output
		}
	}
	return outputs
}

// check checks that the server has nothing to complain of, how many responses
// were asked for and what came of the calls, by id.
func (w *workshop) check(asked int, outcomes map[string]realtime.FunctionOutcome) {
	w.t.Helper()
	synctest.Wait()
	if v := w.server.Violations(); len(v) > 0 {
		w.t.Errorf("violations: %v", v)
	}
	if n := w.asked(); n != asked {
		w.t.Errorf("%d responses were asked for, want %d", n, asked)
	}
	finished := of[realtime.FunctionFinished](w)
	for id, want := range outcomes {
		i := slices.IndexFunc(finished, func(e realtime.FunctionFinished) bool { return e.CallID == id })
		if i < 0 {
			w.t.Errorf("%s has not finished", id)
		} else if finished[i].Outcome != want {
			w.t.Errorf("%s ended %s (%v), want %s", id, finished[i].Outcome, finished[i].Err, want)
		} else if (finished[i].Err == nil) != (want == realtime.FunctionOK) {
			w.t.Errorf("%s ended %s with error %v", id, want, finished[i].Err)
		}
	}
	if len(finished) != len(outcomes) {
		w.t.Errorf("%d calls have finished, want %d: %v", len(finished), len(outcomes), finished)
	}
}

// returns is a function of any arguments that returns a value.
func returns(name string, value any, err error) realtime.Function {
	return realtime.Function{Name: name, Handle: func(context.Context, realtime.FunctionCall) (any, error) { return value, err }}
}

// waits is a function that ends with its context.
func waits(name string) realtime.Function {
	return realtime.Function{Name: name, Handle: func(ctx context.Context, _ realtime.FunctionCall) (any, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}}
}

// gated is a function that returns name when gate is closed, come what may.
func gated(name string, gate <-chan struct{}) realtime.Function {
	return realtime.Function{Name: name, Handle: func(context.Context, realtime.FunctionCall) (any, error) {
		<-gate
		return name, nil
	}}
}

// cityParameters are those of a function with one argument.
var cityParameters = json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`)
