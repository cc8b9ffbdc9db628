package mediastream

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/callgw/callgw/bridge/media"
)

// start is what a start message tells.
type start struct {
	stream, account, call string
	parameters            map[string]string
	encoding              string
	sampleRate, channels  int
	plain                 bool       // the peer speaks plain text
	params                url.Values // of a call that begins with its socket
	capabilities          []string
}

// readTwilioStart reads a start message with a nested description of the call.
func (p *profile) readTwilioStart(m *message) (start, error) {
	var body, format map[string]json.RawMessage
	if err := json.Unmarshal(m.start, &body); err != nil {
		return start{}, fmt.Errorf("mediastream: start: %w", err)
	}
	if raw, ok := body[p.names.format]; ok {
		if err := json.Unmarshal(raw, &format); err != nil {
			return start{}, fmt.Errorf("mediastream: start: %s: %w", p.names.format, err)
		}
	}
	var able []string
	if raw, ok := body[p.names.capabilities]; ok && p.names.capabilities != "" {
		if err := json.Unmarshal(raw, &able); err != nil {
			return start{}, fmt.Errorf("mediastream: start: %s: %w", p.names.capabilities, err)
		}
	}
	var values map[string]json.RawMessage
	if raw, ok := body[p.names.parameters]; ok {
		if err := json.Unmarshal(raw, &values); err != nil {
			return start{}, fmt.Errorf("mediastream: start: %s: %w", p.names.parameters, err)
		}
	}
	st := start{
		stream:     loose(body[p.names.stream]),
		account:    loose(body[p.names.account]),
		call:       loose(body[p.names.call]),
		parameters: make(map[string]string, len(values)),
		encoding:   loose(format[p.names.encoding]),
		sampleRate: looseInt(format[p.names.sampleRate]),
		channels:   looseInt(format[p.names.channels]),

		capabilities: able,
	}
	if m.stream != nil {
		st.stream = string(m.stream)
	}
	for name, value := range values {
		st.parameters[name] = loose(value)
	}
	if st.stream == "" {
		return start{}, fmt.Errorf("mediastream: start: no %s", p.names.stream)
	}
	return st, nil
}

// checkFormat refuses what cannot pass through untouched. The documentation
// calls the format constant; newer SDKs can ask for others.
func (p *profile) checkFormat(st start) error {
	if slices.Contains(p.encodings, st.encoding) && st.sampleRate == media.SampleRate && st.channels <= 1 {
		return nil
	}
	return fmt.Errorf("format %q at %d Hz with %d channels: %w", st.encoding, st.sampleRate, st.channels, media.NotAcceptable)
}

// loose returns a string, or a number as it is written; else "".
func loose(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

func looseInt(raw json.RawMessage) int {
	n, err := strconv.Atoi(loose(raw))
	if err != nil {
		return 0
	}
	return n
}
