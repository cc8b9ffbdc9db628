package mediastream

import "net/http"

// jambonzDetour lets the call go on with verbs that jambonz asks us for, which
// dial target; its listen verb, and so the stream, ends. What becomes of it is
// told to the dial verb's action hook.
func jambonzDetour(s *Stream, target string) (detour, error) {
	if _, err := dialJambonz(s, target); err != nil {
		return detour{}, err
	}
	return detour{commandTransfer, asJSON(map[string]any{
		"call_hook": map[string]any{"url": afterURL(s.cfg.origin()+s.profile.dial, target), "method": http.MethodPost},
	})}, nil
}

// dialJambonz lets jambonz call target and come back to us if nobody answers.
func dialJambonz(s *Stream, target string) (string, error) {
	noun, address, err := s.target(target)
	if err != nil {
		return "", err
	}
	dial := map[string]any{
		"verb":       "dial",
		"actionHook": afterURL(s.cfg.origin()+s.profile.after, target),
		"timeout":    int(s.cfg.TransferTimeout.Seconds()),
		"target":     []any{map[string]any{"type": "phone", "number": address}},
	}
	if id := s.callerID(); id != "" {
		dial["callerId"] = id
	}
	if noun == nounSIP {
		uri, headers, err := splitHeaders(address)
		if err != nil {
			return "", err
		}
		dial["target"] = []any{map[string]any{"type": "sip", "sipUri": uri}}
		dial["headers"] = headers
	}
	return asJSON([]any{dial, verbHangup()}), nil
}

// jambonzOutcome returns how a dialling ended. A server was read to leave the
// latest progress there when a phone has rung for too long.
func jambonzOutcome(status string) string {
	switch status {
	case "completed", "busy", "failed":
		return status
	}
	return "no-answer"
}
