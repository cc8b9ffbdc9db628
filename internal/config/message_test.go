package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/realtime"
)

func TestMessagesAreRenderedForTheCall(t *testing.T) {
	c := load(t, `
sip: {trunks: {carrier: {from: 192.0.2.1}}}
agents:
  a:
    messages:
      - {role: system, text: "{{.From}} calls."}
      - {role: user, text: "{{.Header \"X-Question\"}}"}
      - {role: assistant, text: How may I help?}
`)
	call := dialplan.Call{Trunk: "carrier", From: "+14155550123", To: "+14155550100"}
	agent := c.Agent(c.Dialplan.Decide(call))
	for name, tt := range map[string]struct {
		header map[string][]string
		want   []realtime.Item
	}{
		"all of them": {
			map[string][]string{"X-Question": {"Where is it?"}},
			[]realtime.Item{
				realtime.Message("system", "+14155550123 calls."), realtime.Message("user", "Where is it?"),
				realtime.Message("assistant", "How may I help?"),
			},
		},
		"empty ones are left out": {
			nil,
			[]realtime.Item{realtime.Message("system", "+14155550123 calls."), realtime.Message("assistant", "How may I help?")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			call.Header = tt.header
			got, err := agent.Conversation(call)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
