package realtime

import (
	"encoding/json"
	"fmt"
	"strings"
)

// What the provider does with MCP servers. The items themselves, with the tools
// found, a call's output or its [MCPError], come in [ItemDone] and
// [OutputItemDone].
type (
	// MCPListTools tells how the provider fares with asking a server for its
	// tools. Until it has completed, the model has none of them.
	MCPListTools struct {
		ItemID string // of type mcp_list_tools, which names the server
		Status MCPStatus
	}
	// MCPCall tells how a call of a tool fares.
	MCPCall struct {
		ItemID      string // of type mcp_call
		OutputIndex int
		Status      MCPStatus
	}
	MCPArgumentsDelta struct {
		ResponseID, ItemID string
		OutputIndex        int
		Delta              string
	}
	MCPArgumentsDone struct {
		ResponseID, ItemID string
		OutputIndex        int
		Arguments          string
	}
)

func (MCPListTools) event()      {}
func (MCPCall) event()           {}
func (MCPArgumentsDelta) event() {}
func (MCPArgumentsDone) event()  {}

// MCPStatus is how far something has come.
type MCPStatus string

// The steps.
const (
	MCPInProgress MCPStatus = "in_progress"
	MCPCompleted  MCPStatus = "completed"
	MCPFailed     MCPStatus = "failed"
)

// MCPTool is a tool that an MCP server has.
type MCPTool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	InputSchema json.RawMessage `json:"input_schema,omitempty"`
}

// MCPError says why a call of an MCP server's tool failed: Type is
// protocol_error, tool_execution_error or http_error.
type MCPError struct {
	Type    string `json:"type"`
	Code    int    `json:"code,omitempty"` // of HTTP or of the protocol
	Message string `json:"message"`
}

func (e *MCPError) Error() string {
	if e.Code != 0 {
		return fmt.Sprintf("%s %d: %s", e.Type, e.Code, e.Message)
	}
	return e.Type + ": " + e.Message
}

// mcpEvent returns the event of a type that has to do with MCP, or nil.
func (m *message) mcpEvent(kind string) Event {
	family, step, _ := strings.Cut(strings.TrimPrefix(kind, "response."), ".")
	switch status := MCPStatus(step); family {
	case "mcp_list_tools", "mcp_call":
		if status != MCPInProgress && status != MCPCompleted && status != MCPFailed {
			return nil
		}
		if family == "mcp_call" {
			return MCPCall{m.ItemID, m.OutputIndex, status}
		}
		return MCPListTools{m.ItemID, status}
	case "mcp_call_arguments":
		switch step {
		case "delta":
			return MCPArgumentsDelta{m.ResponseID, m.ItemID, m.OutputIndex, m.Delta}
		case "done":
			return MCPArgumentsDone{m.ResponseID, m.ItemID, m.OutputIndex, m.Arguments}
		}
	}
	return nil
}
