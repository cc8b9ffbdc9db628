package realtime

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// maxFunctionCalls may run at once. It bounds what a model that runs wild can
// cost.
const maxFunctionCalls = 32

// bookCalls notes what an event means for function calls, and returns what is to be
// started when the event has been handed on, or nil. The caller holds mu.
func (s *Session) bookCalls(event Event) (start func()) {
	c := &s.calls
	switch e := event.(type) {
	case SpeechStarted:
		if s.props.current().TurnDetection.interrupts() {
			c.interrupt("")
		}
	case SpeechStopped:
		// A turn that ends while a response runs goes unanswered, if it does not
		// interrupt it.
		d := s.props.current().TurnDetection
		c.awaited = d.responds() && (d.interrupts() || !s.responses.running)
	case InputTimeout:
		c.awaited = true
	case InputCleared:
		c.awaited = false
	case ResponseCreated:
		if s.responses.running && s.responses.active == e.Response.ID {
			c.created(s.responses.reply.request.continues())
		} else {
			c.aside[e.Response.ID] = true
		}
	case OutputItemDone:
		start = s.bookItem(e.Item, e.ResponseID)
	case ItemAdded:
		c.confirm(e.Item)
	case ItemDone:
		c.confirm(e.Item)
		if e.Item.Type == approvalRequest {
			start = s.bookItem(e.Item, s.responses.active)
		}
	case ResponseDone:
		if e.Response.Status == "cancelled" {
			c.interrupt(e.Response.ID)
		}
		c.ended(e.Response.ID)
	case ErrorEvent:
		c.refused(e.Error)
	}
	s.settle()
	return start
}

// bookItem notes what an item wants to be answered. The caller holds mu.
func (s *Session) bookItem(item Item, responseID string) (start func()) {
	if responseID == "" {
		responseID = s.responses.active
	}
	runs := s.responses.running && s.responses.active == responseID
	switch {
	case s.hire == nil || s.calls.aside[responseID]:
	case item.Type == approvalRequest:
		if s.calls.first(item.ID) {
			return s.bookApproval(item, s.calls.join(responseID, runs))
		}
	// A call of a response that was cut off is not completed; its arguments
	// need not be whole.
	case item.Type == "function_call" && item.Status == "completed":
		f := s.functions[item.Name]
		if f == nil && s.foreign(item.Name) || !s.calls.first(item.CallID) {
			return nil
		}
		c := &call{
			FunctionCall: FunctionCall{Name: item.Name, CallID: item.CallID, ItemID: item.ID, ResponseID: responseID, Arguments: json.RawMessage(item.Arguments)},
			round:        s.calls.join(responseID, runs),
			function:     f,
			interrupted:  make(chan struct{}),
		}
		busy := len(s.calls.running) >= maxFunctionCalls
		s.calls.running[c] = true
		hire := s.hire
		return func() { hire(func(ctx context.Context) { s.perform(ctx, c, busy) }) }
	}
	return nil
}

// foreign tells whether a name was declared as a tool that the program answers
// by itself. The caller holds mu.
func (s *Session) foreign(name string) bool {
	p := s.props.current()
	if _, raw := p.Extra["tools"]; raw {
		return true // who knows
	}
	return slices.ContainsFunc(p.Tools, func(t Tool) bool {
		if t.Raw == nil {
			return t.Name == name
		}
		var raw struct{ Type, Name string }
		return json.Unmarshal(t.Raw, &raw) == nil && raw.Type == "function" && raw.Name == name
	})
}

// settle asks for the response that is owed, as soon as it may: none runs, and
// none will come by itself. The caller holds mu.
func (s *Session) settle() {
	if s.link == nil || !s.calls.owed || s.speaking || s.calls.awaited || !s.responses.free(time.Now()) {
		return
	}
	if len(s.responses.waiting) == 0 {
		if err := s.responses.add(ResponseRequest{}); err != nil {
			return
		}
	}
	_ = s.pump() // fails only when the session is about to end
}

// free tells whether a response could begin.
func (q *sequence) free(now time.Time) bool {
	return !q.running && (q.requested == "" || now.Sub(q.since) >= requestTime)
}

// interrupts tells whether the caller may interrupt.
func (t *TurnDetection) interrupts() bool {
	return t == nil || t.Type != NoDetection && (t.InterruptResponse == nil || *t.InterruptResponse)
}
