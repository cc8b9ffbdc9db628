package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
)

// Builtin is a tool of the model that acts on the call itself.
type Builtin struct {
	Kind        BuiltinKind
	Name        string // as the model calls it; empty: the kind's own
	Description string // empty: the kind's own
	// Allowed tells whether the caller may be transferred to a target. nil:
	// nowhere.
	Allowed func(target string) bool
	// Timeout bounds a transfer, with what the agent says before it. It is longer
	// than the leg's own, whose words say more. 0 means 90 s.
	Timeout time.Duration
}

// BuiltinKind is what a [Builtin] does.
type BuiltinKind string

// The builtins.
const (
	HangUp     BuiltinKind = "hang_up"
	Transfer   BuiltinKind = "transfer"
	SendDigits BuiltinKind = "send_dtmf"
)

// Wait is what the caller gets while a tool takes long: what the model is told to
// say, or a µ-law recording. It begins after the function's SlowAfter.
type Wait struct {
	Say   string
	Audio []byte
}

// transferTimeout bounds a transfer: somebody has to answer the phone.
const transferTimeout = 90 * time.Second

// functions are the tools that run here: the agent's own and the builtins.
func (c *Call) functions() []realtime.Function {
	all := c.cfg.Agent.Functions
	for _, b := range c.cfg.Agent.Builtins {
		if leg, ok := c.cfg.Leg.(TransferLimiter); ok && b.Kind == Transfer && !leg.CanTransfer() {
			continue
		}
		all = append(all[:len(all):len(all)], c.builtin(b))
	}
	return all
}

func (c *Call) builtin(b Builtin) realtime.Function {
	var f realtime.Function
	switch b.Kind {
	case HangUp:
		f = realtime.Function{
			Description: "Ends the call. Say goodbye before you call it; the caller hears you out.",
			Handle:      c.handleHangUp,
			Quiet:       true,
		}
	case Transfer:
		f = realtime.Function{
			Description: "Transfers the caller to somebody else and leaves the call. Tell the caller before.",
			Parameters:  parameters("target", "The phone number or SIP address to transfer to."),
			Timeout:     or(b.Timeout, transferTimeout),
			Handle: func(ctx context.Context, call realtime.FunctionCall) (any, error) {
				return c.handleTransfer(ctx, call, b.Allowed)
			},
		}
	case SendDigits:
		f = realtime.Function{
			Description: "Presses keys of the telephone's keypad, for a menu at the other end.",
			Parameters:  parameters("digits", "The keys: 0 to 9, *, #, and a comma for a pause."),
			Handle:      c.handleDigits,
			OnInterrupt: realtime.Keep,
		}
	}
	f.Name = string(b.Kind)
	if b.Name != "" {
		f.Name = b.Name
	}
	if b.Description != "" {
		f.Description = b.Description
	}
	return f
}

// parameters is the schema of a function that takes one string.
func parameters(name, description string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(
		`{"type":"object","properties":{%q:{"type":"string","description":%q}},"required":[%q],"additionalProperties":false}`,
		name, description, name))
}

// handleHangUp ends the call when the farewell was heard.
func (c *Call) handleHangUp(context.Context, realtime.FunctionCall) (any, error) {
	c.post(func() {
		if c.farewell.cause != nil {
			return
		}
		c.farewell = farewell{cause: media.AgentHungUp, until: time.Now().Add(c.longest())}
		c.whenQuiet(func() { c.endHeard(media.AgentHungUp) })
	})
	return "The call ends when the caller has heard you out.", nil
}

// longest is how long the farewell may take: what is queued, and what the model
// may still add to it.
func (c *Call) longest() time.Duration {
	s := c.queue.State()
	return media.Duration(s.Received-s.Heard) + goodbyeTimeout
}

var errNotAllowed = errors.New("transfers to this target are not allowed")

func (c *Call) handleTransfer(ctx context.Context, call realtime.FunctionCall, allowed func(string) bool) (any, error) {
	var args struct{ Target string }
	if err := json.Unmarshal(call.Arguments, &args); err != nil {
		return nil, err
	}
	if allowed == nil || !allowed(args.Target) {
		return nil, errNotAllowed
	}
	if err := c.Transfer(ctx, args.Target); err != nil {
		return nil, fmt.Errorf("the transfer failed, the caller is still here: %w", err)
	}
	return "The caller was transferred.", nil
}

func (c *Call) handleDigits(ctx context.Context, call realtime.FunctionCall) (any, error) {
	var args struct{ Digits string }
	if err := json.Unmarshal(call.Arguments, &args); err != nil {
		return nil, err
	}
	if err := c.SendDigits(ctx, args.Digits); err != nil {
		return nil, err
	}
	return "The keys were pressed.", nil
}

// functionStarted, functionSlow and functionFinished follow a tool at work.
func (c *Call) functionStarted(e realtime.FunctionStarted) {
	c.owed.since = time.Time{}
	c.note(EventFunction, "name", e.Name)
}

// functionSlow gives the caller a sign of life.
func (c *Call) functionSlow(e realtime.FunctionSlow) {
	wait, ok := c.cfg.Agent.Waits[e.Name]
	if !ok {
		return
	}
	if len(wait.Audio) > 0 {
		c.play("wait", wait.Audio)
		return
	}
	if err := c.Say(wait.Say); err != nil {
		c.log.Debug().Err(err).Msg("no word of patience")
	}
}

func (c *Call) functionFinished(e realtime.FunctionFinished) {
	c.lastActivity = time.Now()
	c.meters.function(e.Name, string(e.Outcome), e.Took)
	attrs := []any{"name", e.Name, "outcome", string(e.Outcome), "took", e.Took}
	if e.Err != nil {
		attrs = append(attrs, "error", e.Err.Error())
	}
	c.note(EventFunctionDone, attrs...)
}
