package realtime

import (
	"regexp"
	"strings"
	"time"
)

// ErrorKind says how much an error of the server matters.
type ErrorKind uint8

const (
	// Benign errors are races that were lost: what was asked for was no longer
	// needed. Ignore them.
	Benign ErrorKind = iota + 1
	// Recoverable errors cost one request; the session goes on. Whoever asked
	// must do without, ask differently or later.
	Recoverable
	// Fatal errors end the session, or leave it without answers.
	Fatal
)

// String returns benign, recoverable or fatal.
func (k ErrorKind) String() string {
	switch k {
	case Benign:
		return "benign"
	case Fatal:
		return "fatal"
	default:
		return "recoverable"
	}
}

// Kind classifies the error, be it that of an error event or of a failed
// response. Unknown codes are recoverable: most errors leave the session open.
func (e ErrorDetail) Kind() ErrorKind {
	switch e.Code {
	case "response_cancel_not_active", // the response had ended
		"input_audio_buffer_commit_empty", // less than 100 ms to commit
		"item_not_found",                  // truncated or deleted too late
		"unsupported_content_type":        // truncated before it had audio
		return Benign
	case "session_expired",
		"insufficient_quota",
		"invalid_api_key",
		"missing_model", "invalid_model", "model_not_found",
		"beta_api_shape_disabled":
		return Fatal
	case "":
		// Truncation refusals came without a code for a long time.
		if strings.Contains(e.Message, "is already shorter than") ||
			strings.Contains(e.Message, "Only model output audio messages can be truncated") {
			return Benign
		}
	}
	return Recoverable
}

// Retryable tells whether a new attempt, at a new session if this error is
// fatal, may succeed.
func (e ErrorDetail) Retryable() bool {
	switch e.Code {
	case "session_expired", codeRateLimit, "server_error", "conversation_already_has_active_response":
		return true
	}
	return e.Type == "server_error" || e.Type == "rate_limit_exceeded"
}

const codeRateLimit = "rate_limit_exceeded"

var tryAgainIn = regexp.MustCompile(`(?i)try again in ([0-9.]+)(ms|s)\b`)

// RetryAfter is how long the server asks to wait, as the text of a rate limit's
// error says; 0 if it does not.
func (e ErrorDetail) RetryAfter() time.Duration {
	m := tryAgainIn.FindStringSubmatch(e.Message)
	if m == nil {
		return 0
	}
	d, _ := time.ParseDuration(m[1] + m[2]) // 0 if it is no number
	return d
}

// Error returns the code, or the type if there is none, and the message.
func (e ErrorDetail) Error() string {
	s := e.Code
	if s == "" {
		s = e.Type
	}
	if s == "" {
		s = "error"
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// Request returns the type of this package's client event that the error
// answers, such as conversation.item.truncate, or "" if the server does not say.
func (e ErrorDetail) Request() string {
	kind, _, ok := strings.Cut(e.EventID, eventIDMark)
	if !ok {
		return ""
	}
	return kind
}

// Err returns the error of a response that failed, or nil.
func (r Response) Err() *ErrorDetail {
	if r.Status != "failed" {
		return nil
	}
	if r.StatusDetails != nil && r.StatusDetails.Error != nil {
		return r.StatusDetails.Error
	}
	return &ErrorDetail{Type: "server_error", Message: "response failed without a reason"}
}
