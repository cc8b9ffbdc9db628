package realtime_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/realtime"
)

// The server's lines of a round trip. They confirm nothing unless told to: not
// every server does.

func began(response string) string {
	return `{"type":"response.created","response":{"id":"` + response + `","conversation_id":"c"}}`
}

func ended(response string) string {
	return `{"type":"response.done","response":{"id":"` + response + `","conversation_id":"c","status":"completed"}}`
}

func called(response, id, status string) string {
	return `{"type":"response.output_item.done","response_id":"` + response + `","item":{"id":"item_` + id +
		`","type":"function_call","status":"` + status + `","call_id":"` + id + `","name":"f","arguments":"{}"}}`
}

func confirmed(id string) string {
	return `{"type":"conversation.item.added","item":{"id":"x","type":"function_call_output","call_id":"` + id + `","output":"1"}}`
}

// screenplay is a server that follows a script, and the session that it has.
type screenplay struct {
	*peer
	session *realtime.Session
	events  chan realtime.Event // of functions
	marks   chan struct{}       // the session has handled all up to a mark
}

// scripted runs a session with the function f at a server that follows a script.
func scripted(t *testing.T, f realtime.Function, script func(*screenplay)) *screenplay {
	t.Helper()
	over, handler := make(chan struct{}), record()
	st := &screenplay{events: make(chan realtime.Event, 100), marks: make(chan struct{}, 100)}
	handler.during = func(e realtime.Event) {
		switch e.(type) {
		case realtime.RateLimitsUpdated:
			st.marks <- struct{}{}
		case realtime.FunctionFinished:
			st.events <- e
		}
	}
	ready := make(chan struct{})
	st.session = newSession(t, realtime.Config{
		Handler: handler, Properties: ulaw, Functions: []realtime.Function{f}, RepairTimeout: -1,
		Providers: providers(t, func(p *peer) {
			defer close(over)
			p.open()
			<-ready
			st.peer = p
			script(st)
		}),
	})
	if err := st.session.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(ready)
	result := make(chan error, 1)
	go func() { result <- st.session.Run(context.Background()) }()
	receive(t, over)
	st.session.Close()
	receive(t, result)
	close(st.events)
	return st
}

// quiet checks that nothing was sent that was not expected, now that the session
// has handled all that it was told.
func (st *screenplay) quiet() {
	st.t.Helper()
	st.send(`{"type":"rate_limits.updated","rate_limits":[]}`)
	select {
	case <-st.marks:
	case <-time.After(deadline):
		st.t.Error("the session is gone")
		return
	}
	if err := st.session.Commit(); err != nil {
		st.t.Error(err)
	}
	st.expect("input_audio_buffer.commit")
}

func containsCall(m message, id string) bool {
	return bytes.Contains(m.Raw, []byte(`"call_id":"`+id+`"`))
}

func TestACallThatIsCutOffDoesNotRun(t *testing.T) {
	st := scripted(t, returns("f", 1, nil), func(p *screenplay) {
		p.send(began("r1"))
		p.send(`{"type":"response.function_call_arguments.done","response_id":"r1","item_id":"item_c1","call_id":"c1","name":"f","arguments":"{\"a"}`)
		p.send(called("r1", "c1", "incomplete"))
		p.send(`{"type":"response.done","response":{"id":"r1","conversation_id":"c","status":"cancelled"}}`)
		p.quiet()
	})
	for e := range st.events {
		t.Errorf("%+v", e)
	}
}

func TestACallBehindItsResponseIsAnswered(t *testing.T) {
	scripted(t, returns("f", 1, nil), func(p *screenplay) {
		p.send(called("", "c1", "completed"))
		if m := p.expect("conversation.item.create"); !containsCall(m, "c1") {
			p.t.Errorf("sent %s", m.Raw)
		}
		p.expect("response.create")
	})
}

func TestACallWithoutAnIDIsToldOf(t *testing.T) {
	scripted(t, returns("f", 1, nil), func(p *screenplay) {
		p.send(called("", "", "completed"))
		if e := (<-p.events).(realtime.FunctionFinished); e.Outcome != realtime.FunctionInvalid || e.ItemID != "item_" {
			p.t.Errorf("%+v", e)
		}
		p.quiet()
	})
}

func TestAResponseIsOverBeforeItsRoundIs(t *testing.T) {
	gate := make(chan struct{})
	f := realtime.Function{Name: "f", Handle: func(_ context.Context, call realtime.FunctionCall) (any, error) {
		if call.CallID == "c2" {
			<-gate
		}
		return 1, nil
	}}
	scripted(t, f, func(p *screenplay) {
		p.send(began("r1"))
		p.send(called("r1", "c1", "completed"))
		p.expect("conversation.item.create") // nothing is open now, for a moment
		p.send(called("r1", "c2", "completed"))
		p.send(ended("r1"))
		p.send(confirmed("c1"))
		p.quiet()
		close(gate)
		p.expect("conversation.item.create")
		p.expect("response.create")
		p.send(began("r2"))
		p.send(ended("r2"))
		p.quiet()
	})
}

// A response that the server begins by itself knows an answer if the server has
// shown it before.
func TestTheServersOwnResponseKnowsWhatItHasShown(t *testing.T) {
	for _, shown := range []bool{false, true} {
		gate, answered := make(chan struct{}), make(chan struct{})
		scripted(t, gated("f", gate), func(p *screenplay) {
			p.send(began("r1"))
			p.send(called("r1", "c1", "completed"))
			p.send(ended("r1"))
			p.send(`{"type":"input_audio_buffer.speech_started","item_id":"i2"}`)
			p.send(`{"type":"input_audio_buffer.speech_stopped","item_id":"i2"}`)
			p.quiet()
			close(gate)
			p.expect("conversation.item.create")
			if shown {
				p.send(confirmed("c1"))
			}
			p.send(began("r2"))
			p.send(confirmed("c1"))
			p.send(ended("r2"))
			if !shown {
				p.expect("response.create")
				p.send(began("r3"))
				p.send(ended("r3"))
			}
			p.quiet()
			close(answered)
		})
		receive(t, answered)
	}
}

func TestAServerThatConfirmsNothingIsAskedOnce(t *testing.T) {
	scripted(t, returns("f", 1, nil), func(p *screenplay) {
		p.send(began("r1"))
		p.send(called("r1", "c1", "completed"))
		p.expect("conversation.item.create")
		p.quiet() // so that the request below comes while the response runs
		if err := p.session.Respond(realtime.ResponseRequest{}); err != nil {
			p.t.Error(err)
		}
		p.send(ended("r1"))
		p.expect("response.create")
		p.send(began("r2"))
		p.send(ended("r2"))
		p.quiet()
	})
}

func TestARefusedAnswerIsNotWaitedFor(t *testing.T) {
	gate := make(chan struct{})
	scripted(t, gated("f", gate), func(p *screenplay) {
		p.send(began("r1"))
		p.send(called("r1", "c1", "completed"))
		p.send(ended("r1"))
		p.send(`{"type":"input_audio_buffer.speech_started","item_id":"i2"}`)
		p.send(`{"type":"input_audio_buffer.speech_stopped","item_id":"i2"}`)
		p.quiet()
		close(gate)
		refused := p.expect("conversation.item.create")
		p.send(`{"type":"error","error":{"type":"invalid_request_error","code":"invalid_tool_call_id","message":"","event_id":"` + refused.EventID + `"}}`)
		p.send(began("r2")) // it knows all there is
		p.send(ended("r2"))
		p.quiet()
	})
}

func TestACancelledResponseInterruptsNoOthersCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := waits("f")
		f.OnInterrupt = realtime.Cancel
		second := words("a word")
		second.Until = make(chan struct{})
		w := craft(t, realtime.Config{Functions: []realtime.Function{f}}, calls("f"), second)
		w.ask()
		w.ask()
		if err := w.Cancel(""); err != nil {
			t.Fatal(err)
		}
		w.check(2, nil)
	})
}

// A server that says nothing of what it is told is asked all the same.
func TestAnAnswerThatWasOwedIsAskedForAtASilentServer(t *testing.T) {
	gate, kinds := make(chan struct{}), make(chan []string, 1)
	handler := record()
	connections := make(chan int, 2)
	connections <- 1
	connections <- 2
	start(t, realtime.Config{
		Handler: handler, Properties: ulaw, Functions: []realtime.Function{gated("f", gate)}, RepairTimeout: deadline,
		Providers: providers(t, func(p *peer) {
			first := <-connections == 1
			if first {
				p.open()
				p.send(began("r1"))
				p.send(`{"type":"conversation.item.done","item":{"id":"item_c1","type":"function_call","status":"completed","call_id":"c1","name":"f","arguments":"{}"}}`)
				p.send(called("r1", "c1", "completed"))
				p.send(ended("r1"))
				return
			}
			<-gate
			p.open()
			var got []string
			for range 3 {
				m, _ := p.next()
				got = append(got, m.Type)
			}
			kinds <- got
			p.drain()
		}),
	})
	await[realtime.SessionLost](t, handler)
	close(gate)
	got := receive(t, kinds)
	if got[0] != "conversation.item.create" || got[1] != "conversation.item.create" || got[2] != "response.create" {
		t.Errorf("sent %v", got)
	}
}
