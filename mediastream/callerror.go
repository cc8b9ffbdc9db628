package mediastream

import (
	"fmt"
	"strconv"

	"github.com/callgw/callgw/bridge/media"
)

// CallError is a call out that ended before its stream began.
type CallError struct {
	Status  string // the carrier's: busy, no-answer, failed, canceled or completed
	SIPCode int    // of the far end's last response, 0 if the carrier does not say
}

func newCallError(event StatusEvent) *CallError {
	code, err := strconv.Atoi(event.Params.Get("SipResponseCode"))
	if err != nil {
		code = 0
	}
	return &CallError{Status: event.Status, SIPCode: code}
}

// Error says how it ended.
func (e *CallError) Error() string {
	if e.SIPCode != 0 {
		return fmt.Sprintf("mediastream: call: %s (SIP %d)", e.Status, e.SIPCode)
	}
	return "mediastream: call: " + e.Status
}

// Unwrap returns the media.Cause that comes closest.
func (e *CallError) Unwrap() error {
	switch e.Status {
	case "busy":
		return media.Busy
	case "no-answer", "canceled":
		return media.NoAnswer
	case "completed":
		return media.CallerHungUp // picked up, and put down at once
	}
	return media.LegFailed
}
