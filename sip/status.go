package sip

import (
	"errors"
	"fmt"
	"strconv"
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
	if errors.Is(err, ErrNoAnswer) {
		return media.NoAnswer
	}
	return media.LegFailed
}

// Cause returns the cause nearest to the response: the one that its Reason names by
// Q.850, where gateways to the telephone network tell more than their status.
func (e *StatusError) Cause() media.Cause {
	switch q850(e.Header) {
	case 17: // user busy
		return media.Busy
	case 18, 19, 20: // no user responding, no answer, absent
		return media.NoAnswer
	case 1, 3, 22, 28: // unallocated, no route, changed, invalid format
		return media.NoRoute
	case 65, 88: // bearer capability, incompatible destination
		return media.NotAcceptable
	case 34, 38, 41, 42: // no circuit, out of order, temporary failure, congestion
		return media.LegFailed
	}
	switch e.Status {
	case 486, 600:
		return media.Busy
	case 408, 480, 487:
		return media.NoAnswer
	case 404, 410, 484, 604:
		return media.NoRoute
	case 415, 488, 606:
		return media.NotAcceptable
	}
	if e.Status/100 == 5 {
		return media.LegFailed // RFC 3261 §21.5: it is the server's fault
	}
	return media.Rejected
}

// q850 reads the cause of a Reason header (RFC 3326 §2); 0 if it has none.
func q850(reason string) int {
	protocol, params, _ := strings.Cut(reason, ";")
	if !strings.EqualFold(strings.TrimSpace(protocol), "Q.850") {
		return 0
	}
	for param := range strings.SplitSeq(params, ";") {
		if name, value, _ := strings.Cut(param, "="); strings.EqualFold(strings.TrimSpace(name), "cause") {
			n, err := strconv.Atoi(strings.TrimSpace(value))
			if err == nil {
				return n
			}
		}
	}
	return 0
}
