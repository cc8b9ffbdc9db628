package realtime_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

func TestFunctionsOutliveTheConnection(t *testing.T) {
	for _, c := range []struct {
		name string
		// when the function returns, in the life of the connections
		before, between bool
		during          bool // the response that made the call is not over when the connection ends
	}{
		{name: "answered before the loss", before: true},
		{name: "answered before the loss, amid its response", before: true, during: true},
		{name: "answered without a connection", between: true},
		{name: "answered without a connection, amid its response", between: true, during: true},
		{name: "answered afterwards"},
		{name: "answered afterwards, amid its response", during: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			hold, gate := make(chan struct{}), make(chan struct{})
			defer close(hold)
			server, provider := model(t, realtimetest.Config{
				Voice: func(turn realtimetest.Turn) realtimetest.Reply {
					if turn.Session.Number == 0 && turn.Response == 0 {
						reply := callAs("call_1", "look_up")
						if c.during {
							reply.Until = hold
						}
						return reply
					}
					reply := realtimetest.Speak(tone(time.Second), "It is ready.")
					if turn.Session.Number == 0 {
						reply.Latency = time.Hour // the response to the answer is lost
					}
					return reply
				},
				Fault: func(n int) realtimetest.Fault {
					if n == 1 && c.between {
						return realtimetest.Fault{Refuse: 503}
					}
					return realtimetest.Fault{}
				},
			})
			p := dialUp(t, server, realtime.Config{
				Providers: []realtime.Provider{provider},
				Functions: []realtime.Function{{Name: "look_up", Handle: func(ctx context.Context, call realtime.FunctionCall) (any, error) {
					select {
					case <-gate:
					case <-ctx.Done():
					}
					return call.Name, nil
				}}},
			})
			p.must(p.CreateItem(realtime.Message("user", "Is it ready?")))
			p.must(p.Respond(realtime.ResponseRequest{}))
			old := p.session(0)
			for started, over := false, c.during; !started || !over; {
				switch receive(t, p.heard.events).(type) {
				case realtime.FunctionStarted:
					started = true
				case realtime.ResponseDone:
					over = true
				}
			}
			if c.before {
				close(gate)
				p.must(old.Wait(t.Context(), func() bool { return len(told(old)) == 3 }))
				if !c.during {
					p.event(old, "response.created", 2)
				}
			}
			old.Drop()
			await[realtime.SessionLost](t, p.heard)
			if c.between {
				close(gate)
				await[realtime.FunctionFinished](t, p.heard)
			}
			await[realtime.SessionRestored](t, p.heard)
			if !c.before && !c.between {
				close(gate)
			}
			sessions := server.Sessions()
			now := sessions[len(sessions)-1]
			p.event(now, "response.done", 1)
			items := told(now)
			if len(items) != 4 || !strings.Contains(items[1], "function_call: call_1look_up") ||
				!strings.HasSuffix(items[2], "function_call_output: call_1look_up") || !strings.HasSuffix(items[3], "It is ready.") {
				t.Errorf("items = %q", items)
			}
			if asked := requested(now); len(asked) != 1 {
				t.Errorf("asked for %q", asked)
			}
			for _, s := range sessions {
				if v := s.Violations(); len(v) > 0 {
					t.Errorf("violations: %v", v)
				}
			}
		})
	}
}

// A response that the server began by itself, before it had the answer, is in
// the way of the one that is asked for: it follows.
func TestARequestThatCrossesTheServersResponseIsMadeAgain(t *testing.T) {
	again := make(chan struct{})
	start(t, realtime.Config{
		Properties: ulaw,
		Functions:  []realtime.Function{{Name: "f", Handle: func(context.Context, realtime.FunctionCall) (any, error) { return 1, nil }}},
		Providers: providers(t, func(p *peer) {
			p.open()
			p.send(`{"type":"response.created","response":{"id":"r1","conversation_id":"c"}}`)
			p.send(`{"type":"response.output_item.done","response_id":"r1","item":{"id":"i1","type":"function_call","status":"completed","call_id":"c1","name":"f","arguments":"{}"}}`)
			p.send(`{"type":"response.done","response":{"id":"r1","conversation_id":"c","status":"completed"}}`)
			p.expect("conversation.item.create")
			refused := p.expect("response.create")
			p.send(`{"type":"response.created","response":{"id":"r2","conversation_id":"c"}}`)
			p.send(`{"type":"error","error":{"type":"invalid_request_error","code":"conversation_already_has_active_response","message":"","event_id":"` + refused.EventID + `"}}`)
			p.send(`{"type":"response.done","response":{"id":"r2","conversation_id":"c","status":"completed"}}`)
			p.expect("response.create")
			close(again)
			p.drain()
		}),
	})
	receive(t, again)
}
