package realtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/realtime"
)

func TestFunctionsCanBeRegisteredDuringTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		w := craft(t, realtime.Config{
			Properties: realtime.Properties{Instructions: "Be brief.", Tools: []realtime.Tool{{Name: "own"}}},
			Functions:  []realtime.Function{gated("f", gate)},
		}, callAs("c1", "f"), callAs("c2", "g"), callAs("c3", "f"))
		w.ask()
		for _, f := range []realtime.Function{returns("g", "G", nil), returns("f", "new", nil), returns("f", "newer", nil)} {
			if err := w.RegisterFunction(f); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := len(of[realtime.SessionUpdated](w)); n != 2 { // a handler is not declared
			t.Errorf("%d updates", n)
		}
		close(gate)
		synctest.Wait()
		w.check(4, map[string]realtime.FunctionOutcome{"c1": "ok", "c2": "ok", "c3": "ok"})
		if diff := cmp.Diff(map[string]string{"c1": "f", "c2": "G", "c3": "newer"}, w.outputs()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestFunctionsOnTheWire(t *testing.T) {
	f := realtime.Function{Name: "f", Description: "does", Parameters: cityParameters, Handle: returns("", nil, nil).Handle, Quiet: true, SlowAfter: 1}
	const declared = `{"type":"function","name":"f","description":"does","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}},{"type":"function","name":"g"}`
	for dialect, want := range map[realtime.Dialect]string{
		realtime.GA:   `{"type":"realtime","tools":[` + declared + `],"tool_choice":{"type":"function","name":"g"}}`,
		realtime.Beta: `{"tools":[` + declared + `],"tool_choice":"g"}`,
	} {
		t.Run(string(dialect), func(t *testing.T) {
			schema := contract.OpenSchema(t, "realtime-events/"+string(dialect)+"-client.schema.json")
			sent := make(chan message, 10)
			provider := serve(t, func(p *peer) {
				sent <- p.open()
				p.send(`{"type":"response.created","response":{"id":"r1","conversation_id":"c"}}`)
				p.send(`{"type":"response.output_item.done","response_id":"r1","item":{"id":"i1","type":"function_call","status":"completed","call_id":"c1","name":"g","arguments":""}}`)
				sent <- p.expect("conversation.item.create")
				p.send(`{"type":"response.done","response":{"id":"r1","conversation_id":"c","status":"completed"}}`)
				sent <- p.expect("response.create")
				sent <- p.expect("session.update")
				p.drain()
			})
			provider.Dialect = dialect
			s, _ := start(t, realtime.Config{
				Providers: []realtime.Provider{provider}, Functions: []realtime.Function{f, returns("g", false, nil)},
				Properties: realtime.Properties{ToolChoice: "g"},
			})
			events := []message{receive(t, sent), receive(t, sent), receive(t, sent)}
			if err := s.RegisterFunction(returns("h", nil, nil)); err != nil {
				t.Fatal(err)
			}
			events = append(events, receive(t, sent))
			for _, m := range events {
				if err := schema.Validate(m.Raw); err != nil {
					t.Errorf("%s\n%v", m.Raw, err)
				}
			}
			if diff := cmp.Diff(parse(t, []byte(want)), parse(t, events[0].Session)); diff != "" {
				t.Errorf("session (-want +got):\n%s", diff)
			}
			var output struct{ Item struct{ Type, Output string } }
			if err := json.Unmarshal(events[1].Raw, &output); err != nil || output.Item.Output != "false" {
				t.Errorf("%s: %v", events[1].Raw, err)
			}
			var update struct{ Tools []struct{ Name string } }
			if err := json.Unmarshal(events[3].Session, &update); err != nil || len(update.Tools) != 3 || update.Tools[2].Name != "h" {
				t.Errorf("%s: %v", events[3].Session, err)
			}
		})
	}
}

func TestFaultsOfFunctionsAreToldTogether(t *testing.T) {
	ok := returns("f", nil, nil)
	bad := returns("bad", nil, nil)
	bad.Parameters = json.RawMessage(`{"type":"string"}`)
	long := returns("long", nil, nil)
	long.Timeout = -1
	for _, c := range []struct {
		name      string
		functions []realtime.Function
		choice    string
		want      []string // options
	}{
		{"none", []realtime.Function{ok}, "f", nil},
		{
			"each kind",
			[]realtime.Function{returns("a b", nil, nil), {Name: "empty"}, bad, long, ok, ok},
			"",
			[]string{"functions[a b]", "functions[bad]", "functions[empty]", "functions[long]", "tools[0].name", "tools[5].name"},
		},
		{"a choice that is none", []realtime.Function{ok}, "g", []string{"tool_choice"}},
		{"a choice without functions", nil, "g", []string{"tool_choice"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := realtime.Config{
				Providers: []realtime.Provider{{BaseURL: "ws://localhost"}}, Handler: deaf{},
				Functions: c.functions, Properties: realtime.Properties{ToolChoice: c.choice},
			}
			if diff := cmp.Diff(c.want, faulty(cfg.Validate())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if _, err := realtime.NewSession(cfg); (err == nil) != (c.want == nil) {
				t.Errorf("NewSession = %v", err)
			}
		})
	}
	s := newSession(t, realtime.Config{Providers: []realtime.Provider{{BaseURL: "ws://localhost"}}, Handler: deaf{}})
	if got := faulty(s.RegisterFunction(bad)); len(got) != 1 {
		t.Errorf("registered: %v", got)
	}
	s.Close()
	if err := s.RegisterFunction(ok); !errors.Is(err, realtime.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// faulty returns the options that an error complains of, sorted.
func faulty(err error) []string {
	var options []string
	var walk func(error)
	walk = func(err error) {
		var option *realtime.OptionError
		if all, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range all.Unwrap() {
				walk(e)
			}
		} else if errors.As(err, &option) {
			options = append(options, option.Option)
		}
	}
	walk(err)
	slices.Sort(options)
	return options
}

func FuzzFunctionArguments(f *testing.F) {
	for _, seed := range []string{``, `{}`, `{"city":"Bonn"}`, `{"city":7}`, `{"city":"Bo`, `null`, `[]`, `{"city":"\ud800"}`, `{"city":"Bonn"} {}`, `{"city":1e99999}`} {
		f.Add(seed, "f")
	}
	f.Add(`{}`, "unknown\xff\"")
	f.Fuzz(func(t *testing.T, arguments, name string) {
		handler := record()
		s, err := realtime.NewSession(realtime.Config{
			Providers: []realtime.Provider{{BaseURL: "ws://localhost"}}, Handler: handler,
			Functions: []realtime.Function{{Name: "f", Parameters: cityParameters, Handle: func(_ context.Context, call realtime.FunctionCall) (any, error) {
				var v struct{ City *string }
				if err := json.Unmarshal(call.Arguments, &v); err != nil || v.City == nil {
					t.Errorf("called with %q: %v", call.Arguments, err)
				}
				return call.Arguments, nil
			}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		posted := s.Perform(realtime.Item{Type: "function_call", Status: "completed", CallID: "c1", Name: name, Arguments: arguments})
		var create struct {
			Item struct {
				CallID string `json:"call_id"`
				Output *string
			}
		}
		if err := json.Unmarshal([]byte(posted), &create); err != nil || create.Item.CallID != "c1" || create.Item.Output == nil {
			t.Errorf("posted %q: %v", posted, err)
		}
		e := await[realtime.FunctionFinished](t, handler)
		switch {
		case name != "f" && (e.Outcome != realtime.FunctionUnknown || e.Name != "unknown"),
			name == "f" && e.Outcome != realtime.FunctionOK && e.Outcome != realtime.FunctionInvalid:
			t.Errorf("%+v", e)
		}
	})
}
