package realtime_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/realtime"
)

func TestEveryClientEventOnTheWire(t *testing.T) {
	yes := true
	assistant := realtime.Item{
		ID: "i1", Object: "realtime.item", Type: "message", Status: "completed", Role: "assistant",
		Content: []realtime.Content{{Type: "output_audio", Transcript: "Hello."}},
	}
	caller := realtime.Item{Type: "message", Role: "user", Content: []realtime.Content{{Type: "input_audio", Transcript: "Hi."}}}
	for _, c := range []struct {
		name     string
		do       func(*realtime.Session) error
		ga, beta string // without event_id; beta like ga if empty, unknown to Beta if "-"
	}{
		{
			"commit", (*realtime.Session).Commit,
			`{"type":"input_audio_buffer.commit"}`, "",
		},
		{
			"clear", (*realtime.Session).Clear,
			`{"type":"input_audio_buffer.clear"}`, "",
		},
		{
			"append", func(s *realtime.Session) error { s.Append([]byte{1, 2, 3}); return nil },
			`{"type":"input_audio_buffer.append","audio":"AQID"}`, "",
		},
		{
			"truncate floors", func(s *realtime.Session) error { return s.Truncate("i1", 0, 1999*time.Microsecond) },
			`{"type":"conversation.item.truncate","item_id":"i1","content_index":0,"audio_end_ms":1}`, "",
		},
		{
			"truncate clamps", func(s *realtime.Session) error { return s.Truncate("i1", 2, -time.Second) },
			`{"type":"conversation.item.truncate","item_id":"i1","content_index":2,"audio_end_ms":0}`, "",
		},
		{
			"delete", func(s *realtime.Session) error { return s.Delete("i1") },
			`{"type":"conversation.item.delete","item_id":"i1"}`, "",
		},
		{
			"retrieve", func(s *realtime.Session) error {
				ctx, cancel := expired()
				defer cancel()
				_, _ = s.Retrieve(ctx, "i1")
				return nil
			},
			`{"type":"conversation.item.retrieve","item_id":"i1"}`, "",
		},
		{
			"cancel", func(s *realtime.Session) error { return s.Cancel("") },
			`{"type":"response.cancel"}`, "",
		},
		{
			"cancel one", func(s *realtime.Session) error { return s.Cancel("r1") },
			`{"type":"response.cancel","response_id":"r1"}`, "",
		},
		{
			"respond", func(s *realtime.Session) error { return s.Respond(realtime.ResponseRequest{}) },
			`{"type":"response.create"}`, "",
		},
		{
			"respond out of band", func(s *realtime.Session) error {
				return s.Respond(realtime.ResponseRequest{
					Instructions: "Sum up.", Conversation: "none", Modalities: []string{"text"},
					Metadata: map[string]string{"topic": "summary"}, ToolChoice: "none",
					Input: []realtime.Item{{Type: "item_reference", ID: "i1"}},
				})
			},
			`{"type":"response.create","response":{"instructions":"Sum up.","conversation":"none","output_modalities":["text"],"metadata":{"topic":"summary"},"tool_choice":"none","input":[{"type":"item_reference","id":"i1"}]}}`,
			"-", // its schema knows no references, its servers did
		},
		{
			"respond without context", func(s *realtime.Session) error {
				return s.Respond(realtime.ResponseRequest{Input: []realtime.Item{}, Modalities: []string{"audio"}})
			},
			`{"type":"response.create","response":{"input":[],"output_modalities":["audio"]}}`,
			`{"type":"response.create","response":{"input":[],"modalities":["audio","text"]}}`,
		},
		{
			"a system note", func(s *realtime.Session) error { return s.CreateItem(realtime.Message("system", "Be kind.")) },
			`{"type":"conversation.item.create","item":{"type":"message","role":"system","content":[{"type":"input_text","text":"Be kind."}]}}`, "",
		},
		{
			"what the assistant said", func(s *realtime.Session) error { return s.CreateItem(realtime.Message("assistant", "Hello.")) },
			`{"type":"conversation.item.create","item":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hello."}]}}`,
			`{"type":"conversation.item.create","item":{"type":"message","role":"assistant","content":[{"type":"text","text":"Hello."}]}}`,
		},
		{
			"an assistant's item as the server had it", func(s *realtime.Session) error { return s.CreateItem(assistant) },
			`{"type":"conversation.item.create","item":{"id":"i1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello."}]}}`,
			`{"type":"conversation.item.create","item":{"id":"i1","type":"message","status":"completed","role":"assistant","content":[{"type":"text","text":"Hello."}]}}`,
		},
		{
			"a caller's item as the server had it", func(s *realtime.Session) error { return s.CreateItem(caller) },
			`{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi."}]}}`, "",
		},
		{
			"caller audio", func(s *realtime.Session) error {
				return s.CreateItem(realtime.Item{Type: "message", Role: "user", Content: []realtime.Content{{Type: "input_audio", Audio: "AQID", Transcript: "x"}}})
			},
			`{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_audio","audio":"AQID"}]}}`, "",
		},
		{
			"a function call", func(s *realtime.Session) error {
				return s.CreateItem(realtime.Item{Type: "function_call", CallID: "c1", Name: "f"})
			},
			`{"type":"conversation.item.create","item":{"type":"function_call","call_id":"c1","name":"f","arguments":""}}`, "",
		},
		{
			"a function's empty output", func(s *realtime.Session) error { return s.CreateItem(realtime.FunctionOutput("c1", "")) },
			`{"type":"conversation.item.create","item":{"type":"function_call_output","call_id":"c1","output":""}}`, "",
		},
		{
			"an approval", func(s *realtime.Session) error {
				return s.CreateItem(realtime.Item{Type: "mcp_approval_response", ID: "a1", ApprovalRequestID: "q1", Approve: &yes})
			},
			`{"type":"conversation.item.create","item":{"type":"mcp_approval_response","id":"a1","approval_request_id":"q1","approve":true}}`, "-",
		},
		{
			"update", func(s *realtime.Session) error {
				return s.Update(realtime.Properties{Instructions: "New.", Speed: new(1.5)})
			},
			`{"type":"session.update","session":{"type":"realtime","instructions":"New.","audio":{"output":{"speed":1.5}}}}`,
			`{"type":"session.update","session":{"instructions":"New.","speed":1.5}}`,
		},
	} {
		for _, dialect := range []realtime.Dialect{realtime.GA, realtime.Beta} {
			t.Run(string(dialect)+"/"+c.name, func(t *testing.T) {
				want := c.ga
				if dialect == realtime.Beta && c.beta != "" {
					want = c.beta
				}
				if want == "-" {
					t.Skip("the Beta schema does not know it")
				}
				sent := make(chan message, 1)
				provider := serve(t, func(p *peer) {
					p.open()
					m, _ := p.next()
					sent <- m
					p.drain()
				})
				provider.Dialect = dialect
				s, _ := start(t, realtime.Config{Providers: []realtime.Provider{provider}, Properties: ulaw})
				if err := c.do(s); err != nil {
					t.Fatal(err)
				}
				m := receive(t, sent)
				got := parse(t, m.Raw).(map[string]any)
				if m.Type != "input_audio_buffer.append" && m.EventID == "" {
					t.Error("the event has no id")
				}
				delete(got, "event_id")
				if item, ok := got["item"].(map[string]any); ok {
					id, _ := item["id"].(string)
					if id == "" {
						t.Error("the item has no id")
					}
					if strings.HasPrefix(id, "callgw_") {
						delete(item, "id") // the session's choice
					}
				}
				if diff := cmp.Diff(parse(t, []byte(want)), any(got)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				schema := contract.OpenSchema(t, "realtime-events/"+string(dialect)+"-client.schema.json")
				if err := schema.Validate(m.Raw); err != nil {
					t.Errorf("%s\n%v", m.Raw, err)
				}
			})
		}
	}
}

func TestAProviderWithoutTruncationIsNotAskedForIt(t *testing.T) {
	first := make(chan message, 1)
	provider := serve(t, func(p *peer) {
		p.open()
		m, _ := p.next()
		first <- m
		p.drain()
	})
	provider.NoTruncate = true
	s, _ := start(t, realtime.Config{Providers: []realtime.Provider{provider}, Properties: ulaw})
	if err := s.Truncate("i1", 0, time.Second); err != nil {
		t.Error(err)
	}
	if err := s.Commit(); err != nil {
		t.Error(err)
	}
	if m := receive(t, first); m.Type != "input_audio_buffer.commit" {
		t.Errorf("sent %s", m.Raw)
	}
}
