package realtime

import "errors"

// Response is the server's account of one response.
type Response struct {
	ID             string            `json:"id"`
	Status         string            `json:"status"` // in_progress, completed, cancelled, failed, incomplete
	StatusDetails  *StatusDetails    `json:"status_details"`
	ConversationID string            `json:"conversation_id"`
	Output         []Item            `json:"output"`
	Metadata       map[string]string `json:"metadata"`
	Usage          *Usage            `json:"usage"`
}

// StatusDetails says why a response is not completed: Reason is turn_detected,
// client_cancelled, max_output_tokens or content_filter.
type StatusDetails struct {
	Type   string       `json:"type"`
	Reason string       `json:"reason"`
	Error  *ErrorDetail `json:"error"`
}

// Usage counts the tokens of one response. InputTokens includes cached ones.
type Usage struct {
	TotalTokens       int `json:"total_tokens"`
	InputTokens       int `json:"input_tokens"`
	OutputTokens      int `json:"output_tokens"`
	InputTokenDetails struct {
		TextTokens          int `json:"text_tokens"`
		AudioTokens         int `json:"audio_tokens"`
		CachedTokens        int `json:"cached_tokens"`
		CachedTokensDetails struct {
			TextTokens  int `json:"text_tokens"`
			AudioTokens int `json:"audio_tokens"`
		} `json:"cached_tokens_details"`
	} `json:"input_token_details"`
	OutputTokenDetails struct {
		TextTokens  int `json:"text_tokens"`
		AudioTokens int `json:"audio_tokens"`
	} `json:"output_token_details"`
}

// TranscriptionUsage counts what transcribing one item took: tokens or seconds.
type TranscriptionUsage struct {
	Type         string  `json:"type"`
	TotalTokens  int     `json:"total_tokens"`
	InputTokens  int     `json:"input_tokens"`
	OutputTokens int     `json:"output_tokens"`
	Seconds      float64 `json:"seconds"`
}

// ResponseRequest is what response.create asks for beyond the session's own
// settings. The zero value asks for a plain response.
type ResponseRequest struct {
	Instructions string
	Conversation string            // "" (the default conversation) or "none"
	Modalities   []string          // empty: the session's
	Metadata     map[string]string // comes back in the response's events
	Input        []Item            // replaces the conversation as context if not nil
	ToolChoice   string            // empty: the session's
}

// validate reports what no server would take.
func (r ResponseRequest) validate() error {
	var f faults
	f.oneOf("response.conversation", r.Conversation, "auto", noConversation)
	for _, m := range r.Modalities {
		f.oneOf("response.modalities", m, "audio", "text")
	}
	if len(r.Metadata) > 16 {
		f.add("response.metadata", "has more than 16 pairs")
	}
	for k, v := range r.Metadata {
		if len(k) > 64 || len(v) > 512 {
			f.add("response.metadata", "%.64q: keys have at most 64 characters, values 512", k)
		}
	}
	return errors.Join(f...)
}
