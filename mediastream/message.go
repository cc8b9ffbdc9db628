package mediastream

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/callgw/callgw/internal/jsonscan"
)

// event is the kind of an inbound message.
type event uint8

const (
	eventUnknown event = iota // to be ignored
	eventConnected
	eventStart
	eventMedia
	eventDTMF
	eventMark
	eventStop
	eventStatus // says how much is unplayed
	eventPause  // no more audio is wanted for now
	eventResume
	eventFault // the carrier could make nothing of a message of ours
	eventTransferred
	eventTransferFailed
)

// message is one inbound message. Its slices are borrowed from the text it was
// read from.
type message struct {
	event     event
	plain     bool   // it was plain text, not JSON
	stream    []byte // nil if the message does not say
	track     []byte
	timestamp int64 // ms from the start of the stream
	stamped   bool  // timestamp was there
	chunk     int64 // media messages counted, 0 if the message does not say
	payload   []byte
	digit     []byte
	mark      []byte
	unplayed  int64  // frames
	start     []byte // the object, as it stands
	extra     []byte // what stands beside it
	transfer  struct{ id, reason []byte }
}

// parse reads one message. The members of all kinds are read in one pass, since
// the event's name need not come first.
func (p *profile) parse(text []byte, m *message) error {
	if p.plain && !bytes.HasPrefix(text, []byte("{")) {
		return p.scanPlain(text, m)
	}
	err := p.scan(text, m)
	if errors.Is(err, jsonscan.ErrEscaped) {
		// Some encoders write "\/" for "/", which base64 is full of.
		plain, err := unescape(text)
		if err != nil {
			return err
		}
		return p.scan(plain, m)
	}
	return err
}

func (p *profile) scan(text []byte, m *message) error {
	*m = message{}
	var s jsonscan.Scanner
	s.Reset(text)
	var name []byte
	for s.Next() {
		var err error
		switch key := s.Key(); {
		case is(key, p.names.event), is(key, p.names.otherEvent):
			name = s.Bytes()
		case is(key, p.names.stream):
			m.stream = s.Bytes()
		case is(key, p.names.media):
			err = m.scanMedia(s.Object())
		case is(key, p.digit.object):
			m.digit, err = member(s.Object(), p.digit.member)
		case is(key, p.mark.object):
			m.mark, err = member(s.Object(), p.mark.member)
		case p.digit.object == "" && is(key, p.digit.member):
			m.digit = unquoted(s.Raw())
		case p.mark.object == "" && is(key, p.mark.member):
			m.mark = s.Bytes()
		case is(key, p.names.transfer):
			err = m.scanTransfer(s.Object())
		case is(key, p.names.unplayed):
			m.unplayed = s.LooseInt()
		case is(key, p.names.start):
			m.start = s.Raw()
		case is(key, p.names.extra):
			m.extra = unquoted(s.Raw())
		}
		if err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	if m.event = p.event(name); m.event == eventStart && p.names.start == "" {
		m.start = text
	}
	return nil
}

func (m *message) scanMedia(body jsonscan.Scanner) error {
	for body.Next() {
		switch string(body.Key()) {
		case "track":
			m.track = body.Bytes()
		case "timestamp":
			m.timestamp, m.stamped = body.LooseInt(), true
		case "chunk":
			m.chunk = body.LooseInt()
		case "payload":
			m.payload = body.Bytes()
		}
	}
	return body.Err()
}

func (m *message) scanTransfer(body jsonscan.Scanner) error {
	for body.Next() {
		switch string(body.Key()) {
		case "id":
			m.transfer.id = unquoted(body.Raw())
		case "reason":
			m.transfer.reason = unquoted(body.Raw())
		}
	}
	return body.Err()
}

// member returns a string of an object.
func member(body jsonscan.Scanner, name string) (value []byte, err error) {
	for body.Next() {
		if string(body.Key()) == name {
			value = body.Bytes()
		}
	}
	return value, body.Err()
}

// is tells whether a member has this name; none has the name "".
func is(key []byte, name string) bool { return name != "" && string(key) == name }

// unquoted returns what a string contains, other values as they stand.
func unquoted(raw []byte) []byte {
	if n := len(raw); n >= 2 && raw[0] == '"' {
		return raw[1 : n-1]
	}
	return raw
}

func (p *profile) event(name []byte) event {
	for i := range p.kinds {
		if string(name) == p.kinds[i].name {
			return p.kinds[i].event
		}
	}
	return eventUnknown
}

// audio decodes the payload into buf's storage and returns it.
func (m *message) audio(buf []byte) ([]byte, error) {
	if need := base64.StdEncoding.DecodedLen(len(m.payload)); cap(buf) < need {
		buf = make([]byte, need)
	}
	buf = buf[:cap(buf)]
	n, err := base64.StdEncoding.Decode(buf, m.payload)
	return buf[:n], err
}

// unescape rewrites a message with as few escapes as JSON allows.
func unescape(text []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("mediastream: message: %w", err)
	}
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("mediastream: message: %w", err)
	}
	return plain.Bytes(), nil
}
