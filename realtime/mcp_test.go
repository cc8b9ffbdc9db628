package realtime_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/realtime"
)

func TestMCPServersOnTheWire(t *testing.T) {
	yes := func(string, json.RawMessage) bool { return true }
	for _, c := range []struct {
		name   string
		server realtime.MCPServer
		want   string
	}{
		{
			"the least",
			realtime.MCPServer{Label: "crm", URL: "https://mcp.example.com"},
			`{"type":"mcp","server_label":"crm","server_url":"https://mcp.example.com","require_approval":"never"}`,
		},
		{
			"all",
			realtime.MCPServer{
				Label: "crm", URL: "https://mcp.example.com", Description: "customers", Authorization: "token",
				Headers: map[string]string{"X-Tenant": "7"}, AllowedTools: []string{"lookup"}, Approval: "always", Approve: yes,
			},
			`{"type":"mcp","server_label":"crm","server_url":"https://mcp.example.com","server_description":"customers","authorization":"token",` +
				`"headers":{"X-Tenant":"7"},"allowed_tools":["lookup"],"require_approval":"always"}`,
		},
		{
			"a connector, no tool, a policy",
			realtime.MCPServer{Label: "mail", ConnectorID: "connector_gmail", AllowedTools: []string{}, Approve: yes},
			`{"type":"mcp","server_label":"mail","connector_id":"connector_gmail","allowed_tools":[],"require_approval":"always"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent := make(chan message, 1)
			start(t, realtime.Config{
				MCPServers: []realtime.MCPServer{c.server}, Functions: []realtime.Function{returns("f", nil, nil)},
				Providers: providers(t, func(p *peer) {
					sent <- p.open()
					p.drain()
				}),
			})
			m := receive(t, sent)
			want := `{"type":"realtime","tools":[{"type":"function","name":"f"},` + c.want + `]}`
			if diff := cmp.Diff(parse(t, []byte(want)), parse(t, m.Session)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err := contract.OpenSchema(t, "realtime-events/ga-client.schema.json").Validate(m.Raw); err != nil {
				t.Errorf("%s\n%v", m.Raw, err)
			}
		})
	}
}

func TestFaultsOfMCPServersAreToldWithoutTheirSecrets(t *testing.T) {
	yes := func(string, json.RawMessage) bool { return true }
	const url = "https://mcp.example.com"
	for _, c := range []struct {
		name   string
		server realtime.MCPServer
		beta   bool
		want   []string
	}{
		{"none", realtime.MCPServer{Label: "crm", URL: url}, false, nil},
		{"no server", realtime.MCPServer{Label: "crm"}, false, []string{"mcp[crm]"}},
		{"two", realtime.MCPServer{Label: "crm", URL: url, ConnectorID: "c"}, false, []string{"mcp[crm]"}},
		{
			"much",
			realtime.MCPServer{Label: "", URL: "hidden://hidden", AllowedTools: []string{""}, Approval: "maybe"},
			false,
			[]string{"mcp[].allowed_tools", "mcp[].approval", "mcp[].label", "mcp[].url"},
		},
		{"nobody to ask", realtime.MCPServer{Label: "crm", URL: url, Approval: "always"}, false, []string{"mcp[crm].approval"}},
		{"never asked", realtime.MCPServer{Label: "crm", URL: url, Approval: "never", Approve: yes}, false, []string{"mcp[crm].approval"}},
		{"a dialect without", realtime.MCPServer{Label: "crm", URL: url}, true, []string{"tools[0]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := realtime.Config{Providers: []realtime.Provider{{BaseURL: "ws://localhost"}}, Handler: deaf{}, MCPServers: []realtime.MCPServer{c.server}}
			if c.beta {
				cfg.Providers[0].Dialect = realtime.Beta
			}
			err := cfg.Validate()
			if diff := cmp.Diff(c.want, faulty(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err != nil && strings.Contains(err.Error(), "hidden") {
				t.Errorf("tells a secret: %v", err)
			}
		})
	}
	twice := realtime.MCPServer{Label: "crm", URL: url, Authorization: "hidden", Headers: map[string]string{"a": "hidden"}}
	cfg := realtime.Config{
		Providers: []realtime.Provider{{BaseURL: "ws://localhost"}}, Handler: deaf{}, MCPServers: []realtime.MCPServer{twice, twice},
		Properties: realtime.Properties{ToolChoice: "lookup"},
	}
	if diff := cmp.Diff([]string{"mcp[crm].label", "tool_choice"}, faulty(cfg.Validate())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if text := fmt.Sprintf("%v %+v %#v", twice, cfg, twice); strings.Contains(text, "hidden") {
		t.Errorf("printed: %s", text)
	}
}

func TestApprovalsAreDecidedByThePolicy(t *testing.T) {
	const label, name, arguments = "crm", "lookup", `{"id":7}`
	asked := func(answer bool) func(string, json.RawMessage) bool {
		return func(n string, a json.RawMessage) bool {
			if n != name || string(a) != arguments {
				panic("asked about " + n + string(a))
			}
			return answer
		}
	}
	server := realtime.MCPServer{Label: label, URL: "https://mcp.example.com"}
	with := func(change func(*realtime.MCPServer)) realtime.MCPServer {
		m := server
		change(&m)
		return m
	}
	for _, c := range []struct {
		name    string
		server  realtime.MCPServer
		label   string
		reason  string
		respond bool
	}{
		{"allowed", with(func(m *realtime.MCPServer) { m.Approve = asked(true) }), label, "", false},
		{"allowed, and asked on", with(func(m *realtime.MCPServer) { m.Approve, m.RespondAfterApproval = asked(true), true }), label, "", true},
		{"refused", with(func(m *realtime.MCPServer) { m.Approve = asked(false) }), label, "the policy does not allow it", true},
		{"a panic", with(func(m *realtime.MCPServer) { m.Approve = func(string, json.RawMessage) bool { panic("x") } }), label, "the policy has failed", true},
		{"asked though told not to", server, label, "", false},
		{"not an allowed tool", with(func(m *realtime.MCPServer) { m.AllowedTools = []string{"other"} }), label, "the tool is not allowed", true},
		{"another server", server, "evil", "no such server is configured", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			schema := contract.OpenSchema(t, "realtime-events/ga-client.schema.json")
			handler, sent := record(), make(chan message, 10)
			s, _ := start(t, realtime.Config{
				Handler: handler, Properties: ulaw, MCPServers: []realtime.MCPServer{c.server},
				Providers: providers(t, func(p *peer) {
					p.open()
					item, _ := json.Marshal(map[string]any{"type": "mcp_approval_request", "id": "q1", "server_label": c.label, "name": name, "arguments": arguments})
					p.send(`{"type":"response.created","response":{"id":"r1","conversation_id":"c"}}`)
					p.send(`{"type":"response.output_item.done","response_id":"r1","item":` + string(item) + `}`)
					p.send(`{"type":"conversation.item.done","item":` + string(item) + `}`)
					sent <- p.expect("conversation.item.create")
					p.send(`{"type":"response.done","response":{"id":"r1","conversation_id":"c","status":"completed"}}`)
					for {
						m, ok := p.next()
						if !ok {
							return
						}
						sent <- m
					}
				}),
			})
			m := receive(t, sent)
			if err := schema.Validate(m.Raw); err != nil {
				t.Errorf("%s\n%v", m.Raw, err)
			}
			var create struct {
				Item struct {
					ID, Type, Reason  string
					ApprovalRequestID string `json:"approval_request_id"`
					Approve           bool
				}
			}
			if err := json.Unmarshal(m.Raw, &create); err != nil {
				t.Fatal(err)
			}
			item := create.Item
			if item.Type != "mcp_approval_response" || item.ApprovalRequestID != "q1" || item.Approve != (c.reason == "") || item.Reason != c.reason || len(item.ID) > 32 {
				t.Errorf("%+v", item)
			}
			decided := await[realtime.MCPApproval](t, handler)
			want := realtime.MCPApproval{ServerLabel: label, Name: name, RequestID: "q1", Approved: c.reason == "", Reason: c.reason}
			if c.label != label {
				want.ServerLabel = "unknown"
			}
			if diff := cmp.Diff(want, decided); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			await[realtime.ResponseDone](t, handler)
			if err := s.Commit(); err != nil { // marks the end of what was sent unasked
				t.Fatal(err)
			}
			responded := false
			for m := receive(t, sent); m.Type != "input_audio_buffer.commit"; m = receive(t, sent) {
				responded = responded || m.Type == "response.create"
			}
			if responded != c.respond {
				t.Errorf("a response was asked for: %v", responded)
			}
		})
	}
}

func TestMCPEventsAreTyped(t *testing.T) {
	for _, c := range []struct {
		msg  string
		want realtime.Event
	}{
		{`{"type":"mcp_list_tools.in_progress","item_id":"i"}`, realtime.MCPListTools{ItemID: "i", Status: realtime.MCPInProgress}},
		{`{"type":"mcp_list_tools.completed","item_id":"i"}`, realtime.MCPListTools{ItemID: "i", Status: realtime.MCPCompleted}},
		{`{"type":"mcp_list_tools.failed","item_id":"i"}`, realtime.MCPListTools{ItemID: "i", Status: realtime.MCPFailed}},
		{`{"type":"response.mcp_call.in_progress","item_id":"i","output_index":1}`, realtime.MCPCall{ItemID: "i", OutputIndex: 1, Status: realtime.MCPInProgress}},
		{`{"type":"response.mcp_call.completed","item_id":"i"}`, realtime.MCPCall{ItemID: "i", Status: realtime.MCPCompleted}},
		{`{"type":"response.mcp_call.failed","item_id":"i"}`, realtime.MCPCall{ItemID: "i", Status: realtime.MCPFailed}},
		{`{"type":"response.mcp_call_arguments.delta","response_id":"r","item_id":"i","output_index":2,"delta":"{"}`, realtime.MCPArgumentsDelta{ResponseID: "r", ItemID: "i", OutputIndex: 2, Delta: "{"}},
		{`{"type":"response.mcp_call_arguments.done","response_id":"r","item_id":"i","output_index":2,"arguments":"{}"}`, realtime.MCPArgumentsDone{ResponseID: "r", ItemID: "i", OutputIndex: 2, Arguments: "{}"}},
		{`{"type":"response.mcp_call.paused"}`, realtime.Unknown{Type: "response.mcp_call.paused", Raw: json.RawMessage(`{"type":"response.mcp_call.paused"}`)}},
	} {
		got, err := realtime.Decode([]byte(c.msg))
		if err != nil {
			t.Errorf("%s: %v", c.msg, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.msg, diff)
		}
	}
	failed, err := realtime.Decode([]byte(`{"type":"response.output_item.done","response_id":"r","item":{"type":"mcp_call","id":"i","server_label":"crm","name":"lookup","arguments":"{}","error":{"type":"http_error","code":503,"message":"down"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if e := failed.(realtime.OutputItemDone).Item.Error; e == nil || e.Error() != "http_error 503: down" {
		t.Errorf("error = %v", e)
	}
	list, err := realtime.Decode([]byte(`{"type":"conversation.item.done","item":{"type":"mcp_list_tools","id":"i","server_label":"crm","tools":[{"name":"lookup","input_schema":{"type":"object"}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if tools := list.(realtime.ItemDone).Item.Tools; len(tools) != 1 || tools[0].Name != "lookup" || string(tools[0].InputSchema) != `{"type":"object"}` {
		t.Errorf("tools = %+v", tools)
	}
}
