package config

import (
	"fmt"

	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/realtime"
)

// Message is part of the conversation before a call begins: what the model is
// to know, or to take for said.
type Message struct {
	// Role is whose message it is: system, user or assistant. Required.
	Role string `yaml:"role" oneof:"system user assistant"`
	// Text is a template. Required.
	Text string `yaml:"text"`

	text *Template
}

func checkMessages(k *checker, key string, messages []Message) {
	for i := range messages {
		m, at := &messages[i], fmt.Sprintf("%s[%d]", key, i)
		if m.Role == "" {
			k.fail(at+".role", "missing", "write system, user or assistant")
		}
		if m.Text == "" {
			k.fail(at+".text", "missing", "write what was said, or remove the message")
		}
		m.text = k.template(at+".text", m.Text)
	}
}

// Conversation returns the messages that stand before a call's first words,
// rendered. One that comes out empty is left out: it would say nothing.
func (a *Agent) Conversation(c dialplan.Call) ([]realtime.Item, error) {
	v := VariablesOf(c)
	var items []realtime.Item
	for _, m := range a.Messages {
		text, err := m.text.Render(v)
		if err != nil {
			return nil, err
		}
		if text != "" {
			items = append(items, realtime.Message(m.Role, text))
		}
	}
	return items, nil
}
