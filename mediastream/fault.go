package mediastream

import (
	"errors"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
)

// fault is a peer's breach of the protocol: counted under its reason, answered
// with its close code (RFC 6455 §7.4.1).
type fault struct {
	reason string
	code   int
	cause  media.Cause
}

func (f *fault) Error() string { return "mediastream: " + f.reason + ": " + f.cause.Error() }

// Unwrap returns the cause that the call ends with.
func (f *fault) Unwrap() error { return f.cause }

// The faults that end a stream, by the reason they are counted under.
var (
	faultBinary    = &fault{"binary_frame", websocket.CloseUnsupportedData, media.LegFailed}
	faultOversize  = &fault{"oversize", websocket.CloseMessageTooBig, media.LegFailed}
	faultMalformed = &fault{"malformed", websocket.CloseInvalidFramePayloadData, media.LegFailed}
	faultOrder     = &fault{"unexpected_message", websocket.CloseProtocolError, media.LegFailed}
	faultStream    = &fault{"foreign_stream", websocket.CloseProtocolError, media.LegFailed}
	faultNoStart   = &fault{"no_start", websocket.ClosePolicyViolation, media.NoAnswer}
	faultToken     = &fault{"bad_token", websocket.ClosePolicyViolation, media.LegFailed}
	faultCall      = &fault{"foreign_call", websocket.ClosePolicyViolation, media.LegFailed}
	faultFormat    = &fault{"format", websocket.CloseUnsupportedData, media.NotAcceptable}
	faultLost      = &fault{"connection_lost", websocket.CloseAbnormalClosure, media.LegFailed}
	faultStalled   = &fault{"stalled", websocket.CloseAbnormalClosure, media.LegFailed}
	faultSilent    = &fault{"media_timeout", websocket.CloseNormalClosure, media.MediaTimeout}
)

// Faults that cost one message: it is dropped, or done without, and counted.
const (
	dropPayload = "bad_payload"
	dropDigit   = "bad_digit"
	dropMark    = "lost_mark"
	dropLate    = "late_media"      // overtaken by too many others, or doubled
	dropRefused = "refused_message" // one of ours, by the carrier
)

// Faults after the end of a stream.
const (
	faultHangUp    = "hang_up"   // the carrier would not end the call
	faultDeparture = "departure" // nobody has asked where the call goes
)

// faultReasons are the values of the reason label.
func faultReasons() []string {
	reasons := []string{dropPayload, dropDigit, dropMark, dropLate, dropRefused, faultHangUp, faultDeparture}
	for _, f := range []*fault{
		faultBinary, faultOversize, faultMalformed, faultOrder, faultStream, faultNoStart,
		faultToken, faultCall, faultFormat, faultLost, faultStalled, faultSilent,
	} {
		reasons = append(reasons, f.reason)
	}
	return reasons
}

// readFault says what ended the reading of a socket.
func readFault(err error) error {
	var f *fault
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, websocket.ErrReadLimit):
		return faultOversize
	case errors.As(err, &closed):
		switch closed.Code {
		case websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived:
			return media.CallerHungUp
		}
	}
	return faultLost
}

// closeCode returns the code that tells the peer of err.
func closeCode(err error) int {
	var f *fault
	if errors.As(err, &f) {
		return f.code
	}
	return media.CauseOf(err).CloseCode()
}
