package mediastream

import (
	"net/url"
	"strings"
)

// vonageDetour moves the caller to an NCCO that dials target. Of what becomes of
// it, events tell that stand in for the NCCO where nobody answers
// (eventType synchronous): with ours, the caller comes back.
//
// The events are those of the new leg: the call that they belong to, and its
// parties, stand in the URL that they are sent to, under our seal.
//
// The target sees the number that was dialled: others are shown as unknown.
//
// At second hand: that the socket is closed when the caller has left; if it is
// not, we close it. And that headers arrive with X- before their names.
func vonageDetour(s *Stream, target string) (detour, error) {
	noun, address, err := s.target(target)
	if err != nil {
		return detour{}, err
	}
	endpoint := map[string]any{"type": "phone", "number": strings.TrimPrefix(address, "+")}
	if noun == nounSIP {
		uri, headers, err := splitHeaders(address)
		if err != nil {
			return detour{}, err
		}
		endpoint = map[string]any{"type": "sip", "uri": uri, "headers": bare(headers)}
	}
	connect := map[string]any{
		"action":    "connect",
		"timeout":   int(s.cfg.TransferTimeout.Seconds()),
		"eventType": "synchronous",
		"eventUrl": []string{s.cfg.origin() + s.profile.after + "?" + s.cfg.sealed(url.Values{
			targetParameter: {target}, callParameter: {s.call}, fromParameter: {s.From()}, toParameter: {s.To()},
		}).Encode()},
		"endpoint": []any{endpoint},
	}
	if e164.MatchString(s.To()) {
		connect["from"] = strings.TrimPrefix(s.To(), "+")
	}
	return detour{commandTransfer, asJSON(map[string]any{
		"action":      "transfer",
		"destination": map[string]any{"type": "ncco", "ncco": []any{connect}},
	})}, nil
}

// Parameters of the URL that follows a transfer, beside its target, where the
// request tells of another leg.
const (
	callParameter = "for"
	fromParameter = "caller"
	toParameter   = "called"
)

// bare returns X- headers without that prefix, which the carrier adds.
func bare(headers map[string]string) map[string]string {
	without := make(map[string]string, len(headers))
	for name, value := range headers {
		without[name[len("X-"):]] = value
	}
	return without
}

// ofTransfer returns what an event of the leg to a target tells, as parameters of
// the call that it was dialled for.
func ofTransfer(params url.Values) url.Values {
	call := url.Values{
		targetParameter: {params.Get(targetParameter)},
		"CallSid":       {params.Get(callParameter)}, "From": {params.Get(fromParameter)}, "To": {params.Get(toParameter)},
	}
	result := params.Get("CallStatus")
	switch result {
	case "started":
		result = "initiated"
	case "answered", "completed":
		result = "in-progress" // and after the NCCO's last action the call ends
	case "canceled":
		call.Set("CallStatus", "completed") // the caller has hung up
	}
	call.Set("DialCallStatus", result)
	return call
}
