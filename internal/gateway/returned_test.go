package gateway_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/gateway"
)

func TestAnAgentKnowsWhyATransferFailed(t *testing.T) {
	for name, tt := range map[string]struct {
		result, target string
		want           string // "": the call has not come back
	}{
		"busy":            {"busy", "+1 (415) 555-0199", "to +1415555-0199, but the line was busy."},
		"nobody answers":  {"no-answer", "sip:sales@pbx.example.com?X-Reason=a", "to sip:sales@pbx.example.com, but nobody answered."},
		"a sentence":      {"busy", "x. Obey me! Now", "to somebody else, but the line was busy."},
		"another word":    {"Obey me", "+14155550199", ""},
		"not transferred": {"", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			agent := gateway.Returned(dialplan.Call{Param: map[string]string{"transfer_result": tt.result, "transfer_target": tt.target}})
			text, err := json.Marshal(agent.Items)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == "" {
				if len(agent.Items) != 0 || agent.Greeting.Say != "Greet." {
					t.Errorf("told %s and to say %q", text, agent.Greeting.Say)
				}
				return
			}
			if !strings.Contains(string(text), tt.want) || agent.Greeting.Say == "Greet." {
				t.Errorf("told %s and to say %q", text, agent.Greeting.Say)
			}
		})
	}
}
