package bridge

import (
	"errors"

	"github.com/callgw/callgw/realtime"
)

// errorCodes are the codes that providers are known to send. They are the values
// of a metric's label, which must not grow at a peer's will.
var errorCodes = map[string]bool{
	"beta_api_shape_disabled":                  true,
	"cannot_update_voice":                      true,
	"conversation_already_has_active_response": true,
	"input_audio_buffer_commit_empty":          true,
	"insufficient_quota":                       true,
	"integer_below_min_value":                  true,
	"invalid_api_key":                          true,
	"invalid_event":                            true,
	"invalid_model":                            true,
	"invalid_value":                            true,
	"item_not_found":                           true,
	"missing_model":                            true,
	"missing_required_parameter":               true,
	"model_not_found":                          true,
	"rate_limit_exceeded":                      true,
	"response_cancel_not_active":               true,
	"server_error":                             true,
	"session_expired":                          true,
	"unknown_parameter":                        true,
	"unsupported_content_type":                 true,
}

// codeOf is the label of an error that a provider reported.
func codeOf(e realtime.ErrorDetail) string {
	switch {
	case errorCodes[e.Code]:
		return e.Code
	case errorCodes[e.Type]:
		return e.Type
	case e.Code == "":
		return "none"
	}
	return "other"
}

// codeOfLoss is the label of an error that cost, or prevented, a session.
func codeOfLoss(err error) string {
	var (
		refused   *realtime.RefusedError
		lost      *realtime.LostError
		handshake *realtime.HandshakeError
		connect   *realtime.ConnectError
		format    *realtime.FormatError
		timeout   *realtime.TimeoutError
	)
	switch {
	case errors.As(err, &refused):
		return codeOf(refused.Detail)
	case errors.As(err, &lost) && lost.Detail != nil:
		return codeOf(*lost.Detail)
	case errors.As(err, &lost):
		return "connection_lost"
	case errors.As(err, &handshake):
		return "handshake_refused"
	case errors.As(err, &timeout):
		return "timeout"
	case errors.As(err, &connect):
		return "unreachable"
	case errors.As(err, &format):
		return "wrong_format"
	}
	return "other"
}
