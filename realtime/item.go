package realtime

// Item is one entry of the conversation.
type Item struct {
	ID      string    `json:"id,omitempty"` // chosen by the server if empty
	Object  string    `json:"object,omitempty"`
	Type    string    `json:"type"` // message, function_call, function_call_output, item_reference, mcp_…
	Status  string    `json:"status,omitempty"`
	Role    string    `json:"role,omitempty"` // user, assistant, system
	Content []Content `json:"content,omitempty"`

	// function_call and function_call_output
	CallID    string  `json:"call_id,omitempty"`
	Name      string  `json:"name,omitempty"`
	Arguments string  `json:"arguments,omitempty"` // JSON
	Output    *string `json:"output,omitempty"`

	// mcp_approval_request and mcp_approval_response
	ServerLabel       string `json:"server_label,omitempty"`
	ApprovalRequestID string `json:"approval_request_id,omitempty"`
	Approve           *bool  `json:"approve,omitempty"`
	Reason            string `json:"reason,omitempty"`

	Tools []MCPTool `json:"tools,omitempty"` // of mcp_list_tools
	Error *MCPError `json:"error,omitempty"` // of mcp_call
}

// Content is one part of a message: Type is input_text, input_audio,
// output_text or output_audio. The text and audio of the Beta dialect are read
// as output_text and output_audio, and sent in the provider's dialect.
type Content struct {
	Type       string `json:"type"`
	Text       string `json:"text,omitempty"`
	Audio      string `json:"audio,omitempty"` // base64
	Transcript string `json:"transcript,omitempty"`
}

// Message returns a message of one text: what a caller typed, a system note, or
// what an assistant said earlier.
func Message(role, text string) Item {
	kind := "input_text"
	if role == "assistant" {
		kind = "output_text"
	}
	return Item{Type: "message", Role: role, Content: []Content{{Type: kind, Text: text}}}
}

// FunctionOutput returns the answer to a function call.
func FunctionOutput(callID, output string) Item {
	return Item{Type: "function_call_output", CallID: callID, Output: &output}
}

// wire returns the item as dialect d wants it. Closed schemas leave no choice:
// each type has its own members. What the server sent can be sent back: audio
// that is not there becomes the text of its transcript.
func (i Item) wire(d Dialect) map[string]any {
	w := map[string]any{"type": i.Type}
	text := func(name, value string) {
		if value != "" {
			w[name] = value
		}
	}
	text("id", i.ID)
	switch i.Type {
	case "message":
		text("status", i.Status)
		w["role"] = i.Role
		parts := make([]map[string]any, 0, len(i.Content))
		for _, c := range i.Content {
			parts = append(parts, c.wire(d, i.Role))
		}
		w["content"] = parts
	case "function_call":
		text("status", i.Status)
		text("call_id", i.CallID)
		w["name"], w["arguments"] = i.Name, i.Arguments
	case "function_call_output":
		w["call_id"], w["output"] = i.CallID, ""
		if i.Output != nil {
			w["output"] = *i.Output
		}
	case "mcp_approval_response":
		w["approval_request_id"], w["approve"] = i.ApprovalRequestID, i.Approve != nil && *i.Approve
		text("reason", i.Reason)
	}
	return w
}

func (c Content) wire(d Dialect, role string) map[string]any {
	kind, text := c.Type, c.Text
	switch {
	case role == "assistant":
		// Audio of the assistant cannot be put into a conversation.
		kind = d.grammar().output
		if text == "" {
			text = c.Transcript
		}
	case kind == "input_audio" && c.Audio == "":
		kind, text = "input_text", c.Transcript
	case kind == "input_audio":
		return map[string]any{"type": kind, "audio": c.Audio}
	}
	return map[string]any{"type": kind, "text": text}
}

// normalize gives content of the Beta dialect its GA names.
func (i *Item) normalize() {
	for n := range i.Content {
		switch c := &i.Content[n]; c.Type {
		case "text":
			c.Type = "output_text"
		case "audio":
			c.Type = "output_audio"
		}
	}
}
