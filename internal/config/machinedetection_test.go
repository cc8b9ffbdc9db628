package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/answering"
	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/config"
)

// detection loads an agent's section.
func detection(t *testing.T, section string) *config.MachineDetection {
	t.Helper()
	return load(t, "sip: {trunks: {carrier: {from: 192.0.2.1}}}\nagents: {a: {"+section+"}}\n").Agents["a"].MachineDetection
}

func TestMachineDetectionIsAskedFor(t *testing.T) {
	for section, on := range map[string]bool{
		"": false, "machine_detection: {}": true, "machine_detection: {by: carrier}": true, "machine_detection: {by: off}": false,
	} {
		if got := detection(t, section).On(); got != on {
			t.Errorf("%q: %v", section, got)
		}
	}
	want := answering.Config{}
	if err := want.Complete(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, detection(t, "machine_detection: {}").Timing()); diff != "" {
		t.Errorf("defaults (-detector +configuration):\n%s", diff)
	}
}

func TestMachineDetectionIsRenderedForTheCall(t *testing.T) {
	m := detection(t, `machine_detection: {on_machine: message, message: {say: "Ask {{.To}} to call back."}, tell: {machine: "{{.To}} is away."}}`)
	call := dialplan.Call{To: "+14155550100"}
	said, err := m.MessageFor(call)
	if err != nil || said != "Ask +14155550100 to call back." {
		t.Errorf("says %q, %v", said, err)
	}
	told, err := m.TellFor(call)
	if err != nil || told[answering.Machine] != "+14155550100 is away." || told[answering.Fax] == "" || told[answering.Human] != "" {
		t.Errorf("tells %v, %v", told, err)
	}
}

func TestACallChangesItsAgentsMachineDetection(t *testing.T) {
	agents := detection(t, `machine_detection: {by: carrier, on_machine: message, message: {say: Call back.}, timeout: 20s}`)
	before := *agents
	for name, c := range map[string]struct {
		agents *config.MachineDetection
		source string
		want   func(*config.MachineDetection)
	}{
		"not at all":        {agents, ``, func(*config.MachineDetection) {}},
		"in one member":     {agents, `{"timeout": "10s"}`, func(m *config.MachineDetection) { m.Timeout = 10 * time.Second }},
		"over lines":        {agents, "{\n\"by\":\n\"detector\"\n}", func(m *config.MachineDetection) { m.By = "detector" }},
		"in what it says":   {agents, `{"message": {"say": "Hi."}}`, func(m *config.MachineDetection) { m.Message.Say = "Hi." }},
		"turning it off":    {agents, `{"by": "off"}`, func(m *config.MachineDetection) { m.By = "off" }},
		"having none":       {nil, `{}`, func(m *config.MachineDetection) { m.SetDefaults() }},
		"having none, less": {nil, `{"on_machine": "hang_up"}`, func(m *config.MachineDetection) { m.SetDefaults(); m.OnMachine = "hang_up" }},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.MachineDetectionOf([]byte(c.source), c.agents)
			if err != nil {
				t.Fatal(err)
			}
			want := before
			c.want(&want)
			if diff := cmp.Diff(want, *got, cmp.FilterPath(func(p cmp.Path) bool {
				name := p.Last().String()
				return name == ".say" || name == ".told"
			}, cmp.Ignore()), cmp.AllowUnexported(config.MachineDetection{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if agents.Timeout != before.Timeout || agents.By != before.By {
		t.Error("the agent's own has changed")
	}
}

func TestACallsMachineDetectionIsReadStrictly(t *testing.T) {
	for source, want := range map[string]string{
		`{"bye": "detector"}`:                  `did you mean by`,
		`{"by": "nobody"}`:                     `machine_detection.by`,
		`"detector"`:                           `a mapping`,
		`{"timeout": "60s"}`:                   `machine_detection.timeout: "1m0s" is not within 3s to 59s`,
		`{"timeout": 60}`:                      `is not a duration`,
		`{"speech_threshold": "100ms"}`:        `not within 1s to 6s`,
		`{"on_machine": "message"}`:            `machine_detection.message: missing`,
		`{"message": {"file": "/etc/passwd"}}`: `for the configuration to name`,
		`{"message": {"say": "{{.Nobody}}"}}`:  `the template is wrong`,
		`{"tell": {"human": "{{"}}`:            `the template is wrong`,
	} {
		if _, err := config.MachineDetectionOf([]byte(source), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
}
