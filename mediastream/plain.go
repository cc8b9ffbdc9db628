package mediastream

import (
	"bytes"
	"errors"
	"strconv"
)

var errPlain = errors.New("mediastream: message: not a name and name:value pairs")

// scanPlain reads a message in plain text: its name, and pairs of names and
// values.
//
//	STATUS channel_id:pbx1-123456789.999 queue_length:37 media_paused:false
func (p *profile) scanPlain(text []byte, m *message) error {
	*m = message{plain: true}
	name, rest, _ := bytes.Cut(text, []byte(" "))
	if len(name) == 0 {
		return errPlain
	}
	for len(rest) > 0 {
		var pair []byte
		pair, rest, _ = bytes.Cut(rest, []byte(" "))
		key, value, ok := bytes.Cut(pair, []byte(":"))
		switch {
		case !ok:
			continue // a word of a free text
		case is(key, p.names.stream):
			m.stream = value
		case is(key, p.digit.member):
			m.digit = value
		case is(key, p.mark.member):
			m.mark = value
		case is(key, p.names.unplayed):
			n, err := strconv.ParseInt(string(value), 10, 32)
			if err != nil {
				return errPlain
			}
			m.unplayed = n
		}
	}
	if m.event = p.event(name); m.event == eventStart {
		m.start = text
	}
	return nil
}
