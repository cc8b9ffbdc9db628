package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/callgw/callgw/bridge/answering"
	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/config/strict"
)

// MachineDetection says how it is found out who answers calls out, a human or an
// answering machine, and what is done then.
type MachineDetection struct {
	// By is detector, callgw's own; carrier, Twilio's; or off. Default detector.
	By string `yaml:"by" oneof:"detector carrier off"`
	// OnMachine is continue, hang_up or message. Default continue.
	OnMachine string `yaml:"on_machine" oneof:"continue hang_up message"`
	// Message is what a machine is told with on_machine: message, which requires it.
	Message Greeting `yaml:"message"`
	// WaitForHuman lets the agent speak only when a human has answered, or that
	// stays unknown. Default false.
	WaitForHuman bool `yaml:"wait_for_human"`
	// SpeechThreshold is how long a machine speaks at least. 1s to 6s, default 2.4s.
	SpeechThreshold time.Duration `yaml:"speech_threshold"`
	// SpeechEndThreshold is the silence that ends what a human says. 500ms to 5s,
	// default 1.2s.
	SpeechEndThreshold time.Duration `yaml:"speech_end_threshold"`
	// SilenceTimeout is how long nobody may speak. 2s to 10s, default 5s.
	SilenceTimeout time.Duration `yaml:"silence_timeout"`
	// MessagePause is the silence that ends a machine's message without a beep.
	// 500ms to 10s, default 2.5s.
	MessagePause time.Duration `yaml:"message_pause"`
	// Timeout bounds all of it. 3s to 59s, default 30s.
	Timeout time.Duration `yaml:"timeout"`
	// Tell is what the model is told of who has answered.
	Tell Tell `yaml:"tell"`

	say  *Template
	told map[answering.Verdict]*Template
}

// Tell is what the model is told of who has answered: templates. Nothing is told
// where one is empty.
type Tell struct {
	Human   string `yaml:"human"`
	Machine string `yaml:"machine"`
	Fax     string `yaml:"fax"`
	Unknown string `yaml:"unknown"`
}

// SetDefaults sets the defaults.
func (m *MachineDetection) SetDefaults() {
	*m = MachineDetection{
		By: "detector", OnMachine: "continue",
		SpeechThreshold:    answering.DefaultSpeech,
		SpeechEndThreshold: answering.DefaultSpeechEnd,
		SilenceTimeout:     answering.DefaultSilence,
		MessagePause:       answering.DefaultMessagePause,
		Timeout:            answering.DefaultTimeout,
		Tell: Tell{
			Machine: "An answering machine has answered the call.",
			Fax:     "A fax machine has answered the call.",
		},
	}
}

// On tells whether anything is to be found out; a nil m finds nothing out.
func (m *MachineDetection) On() bool { return m != nil && m.By != "off" }

// Timing returns what the detection goes by.
func (m *MachineDetection) Timing() answering.Config {
	return answering.Config{
		Speech: m.SpeechThreshold, SpeechEnd: m.SpeechEndThreshold, Silence: m.SilenceTimeout,
		MessagePause: m.MessagePause, Timeout: m.Timeout,
	}
}

// MessageFor returns what the model is told to say to a machine in a call, empty if
// that is a recording.
func (m *MachineDetection) MessageFor(c dialplan.Call) (string, error) {
	return m.say.Render(VariablesOf(c))
}

// TellFor returns what the model is told of who has answered a call.
func (m *MachineDetection) TellFor(c dialplan.Call) (map[answering.Verdict]string, error) {
	v := VariablesOf(c)
	told := map[answering.Verdict]string{}
	for verdict, template := range m.told {
		text, err := template.Render(v)
		if err != nil {
			return nil, err
		}
		told[verdict] = text
	}
	return told, nil
}

func (m *MachineDetection) check(k *checker, key string) {
	timing := m.Timing()
	for _, b := range timing.Bounds() {
		if at := key + "." + b.Name; *b.Value < b.Min || *b.Value > b.Max {
			k.fail(at, k.quote(at, b.Value.String())+fmt.Sprintf(" is not within %v to %v", b.Min, b.Max), fmt.Sprintf("leave it out for %v", b.Default))
		}
	}
	m.Message.check(k, key+".message")
	switch {
	case m.OnMachine == "message" && m.Message == Greeting{}:
		k.fail(key+".message", "missing: on_machine says that there is one", "write {say: what the model is told to say}")
	case m.OnMachine != "message" && m.Message != Greeting{}:
		k.warn(key+".message", "nobody gets it", "write on_machine: message, or remove it")
	}
	m.say = k.template(key+".message.say", m.Message.Say)
	m.told = map[answering.Verdict]*Template{
		answering.Human:   k.template(key+".tell.human", m.Tell.Human),
		answering.Machine: k.template(key+".tell.machine", m.Tell.Machine),
		answering.Fax:     k.template(key+".tell.fax", m.Tell.Fax),
		answering.Unknown: k.template(key+".tell.unknown", m.Tell.Unknown),
	}
}

// MachineDetectionOf reads what one call changes in its agent's machine detection,
// in the vocabulary of the file, from JSON, as strictly. An agent that has
// none starts from the defaults. Neither the environment nor files are looked at;
// no source changes nothing.
func MachineDetectionOf(source []byte, agents *MachineDetection) (*MachineDetection, error) {
	if len(source) == 0 {
		return agents, nil
	}
	const key = "machine_detection"
	var body struct {
		Detection *MachineDetection `yaml:"machine_detection"`
	}
	if agents != nil {
		own := *agents
		body.Detection = &own
	}
	doc := strict.Parse(fmt.Appendf(nil, "{%q: %s}", key, source), strict.Options{Parsers: parsers(), Refused: refused})
	doc.Decode(&body)
	if file := key + ".message.file"; doc.Has(file) {
		doc.Fail(file, "recordings are for the configuration to name", "write message: {say: what the model is told to say}")
	} else if body.Detection != nil {
		body.Detection.check(newChecker(doc, ""), key)
	}
	var all []error
	for _, f := range doc.Faults() {
		all = append(all, errors.New(f.String()))
	}
	return body.Detection, errors.Join(all...)
}
