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
)

// message is one inbound message. Its slices are borrowed from the text it was
// read from.
type message struct {
	event     event
	stream    []byte // nil if the message does not say
	track     []byte
	timestamp int64 // ms from the start of the stream
	stamped   bool  // timestamp was there
	payload   []byte
	digit     []byte
	mark      []byte
	start     []byte // the object, as it stands
}

// parse reads one message. The members of all kinds are read in one pass, since
// the event's name need not come first.
func (p *profile) parse(text []byte, m *message) error {
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
		switch key := s.Key(); string(key) {
		case p.names.event:
			name = s.Bytes()
		case p.names.stream:
			m.stream = s.Bytes()
		case p.events.media:
			body := s.Object()
			for body.Next() {
				switch string(body.Key()) {
				case "track":
					m.track = body.Bytes()
				case "timestamp":
					m.timestamp, m.stamped = body.LooseInt(), true
				case "payload":
					m.payload = body.Bytes()
				}
			}
			if err := body.Err(); err != nil {
				return err
			}
		case p.events.dtmf:
			body := s.Object()
			for body.Next() {
				if string(body.Key()) == "digit" {
					m.digit = body.Bytes()
				}
			}
			if err := body.Err(); err != nil {
				return err
			}
		case p.events.mark:
			body := s.Object()
			for body.Next() {
				if string(body.Key()) == "name" {
					m.mark = body.Bytes()
				}
			}
			if err := body.Err(); err != nil {
				return err
			}
		case p.events.start:
			m.start = s.Raw()
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	m.event = p.event(name)
	return nil
}

func (p *profile) event(name []byte) event {
	switch string(name) {
	case p.events.media:
		return eventMedia
	case p.events.mark:
		return eventMark
	case p.events.dtmf:
		return eventDTMF
	case p.events.start:
		return eventStart
	case p.events.connected:
		return eventConnected
	case p.events.stop:
		return eventStop
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
