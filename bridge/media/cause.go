package media

import (
	"errors"
	"fmt"
)

// Cause says why a call ended. It is an error, so that it travels as the cause
// of a context and may be wrapped with details; [CauseOf] finds it again. Its
// name is the value of the outcome label and of the timeline's last event.
type Cause uint8

// The causes, from the most ordinary to the least.
const (
	CallerHungUp     Cause = iota + 1 // BYE, stop, or the far end closed
	CallerCancelled                   // gave up before the answer: CANCEL
	AgentHungUp                       // the model or its tools ended the call
	OperatorHungUp                    // ended through the API
	Shutdown                          // the process is going down
	DurationLimit                     // limits.duration reached
	SilenceLimit                      // limits.silence reached
	CostLimit                         // limits.cost reached
	AnsweringMachine                  // a machine or a fax has answered, and there is no more to say
	Transferred                       // handed over to somebody else
	TargetHungUp                      // who was called for a transfer hung up
	Rejected                          // the dialplan said so
	NoRoute                           // no route matched
	Busy                              // calls.max reached
	UnknownTrunk                      // from a source that no trunk names
	NotAcceptable                     // no codec or media in common
	NoAnswer                          // the callee, or the expected stream, never came
	ProviderRefused                   // no provider opened a session
	ProviderLost                      // the session died during the call
	MediaTimeout                      // the phone's audio stopped without a word
	LegFailed                         // the carrier's side broke its protocol or its socket
	Internal                          // ours
)

// causes holds, for each Cause, its name, the SIP status that rejects a call
// with it (RFC 3261 §21), the Q.850 cause that a BYE's Reason carries
// (RFC 3326) and the close code of a media-stream WebSocket (RFC 6455 §7.4.1).
var causes = [...]struct {
	name   string
	status int
	q850   int
	close  int
}{
	CallerHungUp:     {"caller_hung_up", 487, 16, 1000},
	CallerCancelled:  {"caller_cancelled", 487, 16, 1000},
	AgentHungUp:      {"agent_hung_up", 480, 16, 1000},
	OperatorHungUp:   {"operator_hung_up", 480, 16, 1000},
	Shutdown:         {"shutdown", 503, 16, 1001},
	DurationLimit:    {"duration_limit", 480, 16, 1000},
	SilenceLimit:     {"silence_limit", 480, 16, 1000},
	CostLimit:        {"cost_limit", 480, 16, 1000},
	AnsweringMachine: {"answering_machine", 480, 16, 1000},
	Transferred:      {"transferred", 480, 16, 1000},
	TargetHungUp:     {"target_hung_up", 480, 16, 1000},
	Rejected:         {"rejected", 603, 21, 1008},
	NoRoute:          {"no_route", 404, 1, 1008},
	Busy:             {"busy", 503, 17, 1013},
	UnknownTrunk:     {"unknown_trunk", 403, 21, 1008},
	NotAcceptable:    {"not_acceptable", 488, 65, 1003},
	NoAnswer:         {"no_answer", 480, 19, 1000},
	ProviderRefused:  {"provider_refused", 503, 41, 1011},
	ProviderLost:     {"provider_lost", 503, 41, 1011},
	MediaTimeout:     {"media_timeout", 480, 102, 1000},
	LegFailed:        {"leg_failed", 500, 38, 1002},
	Internal:         {"internal", 500, 41, 1011},
}

// Causes returns every cause, for metrics and documentation.
func Causes() []Cause {
	all := make([]Cause, 0, len(causes))
	for c := CallerHungUp; int(c) < len(causes); c++ {
		all = append(all, c)
	}
	return all
}

func (c Cause) known() Cause {
	if c == 0 || int(c) >= len(causes) {
		return Internal
	}
	return c
}

// String returns the cause's name, such as "caller_hung_up".
func (c Cause) String() string { return causes[c.known()].name }

// Error returns the cause's name.
func (c Cause) Error() string { return c.String() }

// SIPStatus returns the final response that rejects an INVITE for this cause.
func (c Cause) SIPStatus() int { return causes[c.known()].status }

// Q850 returns the cause's number in ITU-T Q.850, for the Reason header.
func (c Cause) Q850() int { return causes[c.known()].q850 }

// CloseCode returns the WebSocket close code that tells a media stream's peer.
func (c Cause) CloseCode() int { return causes[c.known()].close }

// CauseOf returns the cause that err is or wraps, [Internal] when it has none.
// A nil err has the cause CallerHungUp: a leg that returns without complaint
// has simply ended.
func CauseOf(err error) Cause {
	if err == nil {
		return CallerHungUp
	}
	var c Cause
	if errors.As(err, &c) {
		return c.known()
	}
	return Internal
}

// Rejection is a [Rejected] call with a SIP status of its own, as a dialplan
// chooses it.
type Rejection struct {
	Status int    // 400 to 699
	Phrase string // reason phrase; empty: the status' own
}

// Error names the status.
func (r Rejection) Error() string {
	return fmt.Sprintf("%v: %d %s", Rejected, r.Status, r.Phrase)
}

// SIPStatus returns the status, so that a leg that looks for a cause finds it.
func (r Rejection) SIPStatus() int { return r.Status }

// Unwrap returns Rejected.
func (r Rejection) Unwrap() error { return Rejected }

// Redirection is a [Rejected] call whose caller is told to call elsewhere. Legs that
// cannot tell it reject the call.
type Redirection struct {
	To string // a number or a SIP URI
}

// Error names the target.
func (r Redirection) Error() string { return fmt.Sprintf("%v: redirected to %s", Rejected, r.To) }

// SIPStatus returns 302 (RFC 3261 §21.3.3).
func (r Redirection) SIPStatus() int { return 302 }

// Unwrap returns Rejected.
func (r Redirection) Unwrap() error { return Rejected }

// RejectionOf returns the SIP status, and the reason phrase if it is not the
// status' own, that reject a call for err.
func RejectionOf(err error) Rejection {
	var r Rejection
	if errors.As(err, &r) && r.Status >= 400 && r.Status <= 699 {
		return r
	}
	return Rejection{Status: CauseOf(err).SIPStatus()}
}
