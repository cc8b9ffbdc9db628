package realtimetest

import "fmt"

// Error is the body of an error event, of a failed response or of a failed
// transcription. Empty members are sent as null, an empty Type as
// invalid_request_error.
type Error struct {
	Type    string
	Code    string
	Message string
	Param   string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

func (e *Error) kind() string {
	if e.Type == "" {
		return "invalid_request_error"
	}
	return e.Type
}

func (e *Error) event(clientEventID string) object {
	return event("error", member{"error", object{
		{"type", e.kind()},
		{"code", nullable(e.Code)},
		{"message", e.Message},
		{"param", nullable(e.Param)},
		{"event_id", nullable(clientEventID)},
	}})
}

// closeReason is what the service writes into the close frame.
func (e *Error) closeReason() string { return e.kind() + "." + e.Code }

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// RateLimited is the error of a response that the account's limits refused.
func RateLimited() *Error {
	return &Error{Type: "tokens", Code: "rate_limit_exceeded", Message: "Rate limit reached for gpt-realtime on tokens per min (TPM). Please try again in 1.2s."}
}

// The errors of connecting, which end the session.
var (
	errMissingModel = &Error{Code: "missing_model", Message: "You must provide a model parameter."}
	errBetaShape    = &Error{Code: "beta_api_shape_disabled", Message: "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API."}
	errNotBeta      = &Error{Code: "missing_beta_header", Message: "You must provide the header OpenAI-Beta: realtime=v1 to use this API."}
	errAPIKey       = &Error{Code: "invalid_api_key", Message: "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys."}
	errExpired      = &Error{Code: "session_expired", Message: "Your session hit the maximum duration of 60 minutes."}
)

func errModel(model string) *Error {
	return &Error{Code: "model_not_found", Message: fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", model)}
}

// The errors of client events.

func errUnknown(path string) *Error {
	return &Error{Code: "unknown_parameter", Message: fmt.Sprintf("Unknown parameter: '%s'.", path), Param: path}
}

func errMissing(path string) *Error {
	return &Error{Code: "missing_required_parameter", Message: fmt.Sprintf("Missing required parameter: '%s'.", path), Param: path}
}

func errType(path, want, got string) *Error {
	return &Error{Code: "invalid_type", Message: fmt.Sprintf("Invalid type for '%s': expected %s, but got %s instead.", path, want, got), Param: path}
}

func errValue(path, message string) *Error {
	return &Error{Code: "invalid_value", Message: message, Param: path}
}

func errNoItem(path, id string) *Error {
	return &Error{Code: "item_not_found", Message: fmt.Sprintf("Item with item_id not found: '%s'.", id), Param: path}
}
