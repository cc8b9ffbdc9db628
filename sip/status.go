package sip

import (
	"errors"
	"fmt"
	"strings"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// StatusError is a final response that refused a request of ours.
type StatusError struct {
	Status int    // 300 to 699
	Reason string // the peer's phrase
	Header string // its Reason header (RFC 3326), if any
	// Contacts are the URIs that a 3xx names, best first.
	Contacts []string
}

func (e *StatusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("sip: %d %s", e.Status, e.Reason))
}

// Refusal returns the status and the phrase.
func (e *StatusError) Refusal() (status int, reason string) { return e.Status, e.Reason }

// refused returns the error that a final response stands for.
func refused(res *gosip.Response) *StatusError {
	e := &StatusError{Status: res.StatusCode, Reason: res.Reason}
	if vs := values(res, "Reason"); len(vs) > 0 {
		e.Header = vs[0]
	}
	if res.StatusCode < 400 {
		for _, uri := range contacts(res) {
			e.Contacts = append(e.Contacts, uri.String())
		}
	}
	return e
}

// noAnswer returns the cause of an INVITE without a final response.
func noAnswer(err error) media.Cause {
	if errors.Is(err, errTimeout) {
		return media.NoAnswer
	}
	return media.LegFailed
}

// causeOfStatus returns the cause nearest to a final response.
func causeOfStatus(status int) media.Cause {
	switch status {
	case 486, 600:
		return media.Busy
	case 408, 480, 487:
		return media.NoAnswer
	case 404, 410, 484, 604:
		return media.NoRoute
	case 415, 488, 606:
		return media.NotAcceptable
	case 503:
		return media.Busy
	}
	return media.Rejected
}
