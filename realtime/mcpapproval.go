package realtime

import (
	"context"
	"encoding/json"
	"slices"
)

const (
	approvalRequest  = "mcp_approval_request"
	approvalResponse = "mcp_approval_response"
)

// MCPApproval says how a call of an MCP server's tool was decided. It is the
// session's own event.
type MCPApproval struct {
	ServerLabel string // of the configuration, or "unknown"
	Name        string // as the model named the tool: not for labels of metrics
	RequestID   string
	Approved    bool
	Reason      string // why not
}

func (MCPApproval) event() {}

// bookApproval returns what answers an approval request. The caller holds mu.
func (s *Session) bookApproval(item Item, r *round) (start func()) {
	m, known := s.servers[item.ServerLabel]
	hire := s.hire
	return func() {
		hire(func(context.Context) {
			reason := "no such server is configured"
			if known {
				reason = m.decide(item.Name, json.RawMessage(item.Arguments))
			}
			s.approve(item, m, r, reason)
		})
	}
}

// decide asks the policy, and returns why it refuses, or "".
func (m MCPServer) decide(name string, arguments json.RawMessage) (reason string) {
	if m.AllowedTools != nil && !slices.Contains(m.AllowedTools, name) {
		return "the tool is not allowed"
	}
	if m.Approve == nil {
		return "" // it was not to be asked for
	}
	reason = "the policy has failed"
	defer func() { _ = recover() }() // what it panicked with refuses like a no
	if m.Approve(name, arguments) {
		return ""
	}
	return "the policy does not allow it"
}

// approve sends the decision. A refusal leaves the model without a result, so
// that somebody has to ask it to go on.
func (s *Session) approve(item Item, m MCPServer, r *round, reason string) {
	approved := reason == ""
	s.mu.Lock()
	_ = s.reply(Item{
		Type: approvalResponse, ApprovalRequestID: item.ID, Approve: &approved, Reason: reason,
	}, item.ID)
	s.calls.answered(r, !approved || m.RespondAfterApproval)
	s.settle()
	s.mu.Unlock()
	label := m.Label
	if label == "" {
		label = unknownFunction
	}
	s.tell(MCPApproval{label, item.Name, item.ID, approved, reason})
}
