package bridge

import (
	"context"
	"reflect"
	"strings"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/mask"
	"github.com/callgw/callgw/realtime"
)

// Operator is a call in the hands of an operator. What is done through it is in
// the timeline, before it has any effect, and whether it has failed. The digits
// are not, and words only where transcripts are not hidden.
type Operator struct{ call *Call }

// Operator returns the call for an operator to act on.
func (c *Call) Operator() Operator { return Operator{c} }

// Say is [Call.Say].
func (o Operator) Say(instructions string) error {
	return o.act("say", func() error { return o.call.Say(instructions) }, o.words("instructions", instructions)...)
}

// Append is [Call.Append].
func (o Operator) Append(item realtime.Item, respond bool) error {
	var texts []string
	for _, part := range item.Content {
		texts = append(texts, part.Text)
	}
	attrs := append([]any{"role", item.Role, "respond", respond}, o.words("text", strings.Join(texts, " "))...)
	return o.act("message", func() error { return o.call.Append(item, respond) }, attrs...)
}

// Update is [Call.Update].
func (o Operator) Update(p realtime.Properties) error {
	return o.act("session", func() error { return o.call.Update(p) }, "members", members(p))
}

// members names what is set in p.
func members(p realtime.Properties) string {
	var names []string
	v := reflect.ValueOf(p)
	for i := range v.NumField() {
		if !v.Field(i).IsZero() {
			names = append(names, v.Type().Field(i).Tag.Get("yaml"))
		}
	}
	return strings.Join(names, ", ")
}

// PauseAudio is [Call.PauseAudio].
func (o Operator) PauseAudio(on bool) {
	action := "resume"
	if on {
		action = "pause"
	}
	_ = o.act(action, func() error { o.call.PauseAudio(on); return nil })
}

// SendDigits is [Call.SendDigits].
func (o Operator) SendDigits(ctx context.Context, digits string) error {
	return o.act("dtmf", func() error { return o.call.SendDigits(ctx, digits) }, "digits", len(digits))
}

// Transfer is [Call.Transfer].
func (o Operator) Transfer(ctx context.Context, target string) error {
	return o.act("transfer", func() error { return o.call.Transfer(ctx, target) }, "target", mask.Number(target))
}

// HangUp is [Call.HangUp].
func (o Operator) HangUp() {
	_ = o.act("hang_up", func() error { o.call.HangUp(media.OperatorHungUp); return nil })
}

// act does what an operator asks for, and notes it.
func (o Operator) act(action string, do func() error, attrs ...any) error {
	o.call.note(EventOperator, append([]any{"action", action}, attrs...)...)
	err := do()
	if err != nil {
		o.call.note(EventOperatorFailed, "action", action, "error", err.Error())
	}
	return err
}

// words is an attribute that tells what is said, where that may be told.
func (o Operator) words(key, text string) []any {
	if o.call.cfg.Agent.HideTranscripts || text == "" {
		return nil
	}
	return []any{key, text}
}
