package realtimetest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// receive handles one message; !ok is the end of them.
func (s *Session) receive(f frame, ok bool) {
	switch {
	case !ok && s.closing != nil:
		s.stop(*s.closing)
	case !ok:
		s.stop(End{ByClient: true})
	case s.closing != nil:
	case s.appendFast(f):
	default:
		s.dispatch(f)
		s.publish()
	}
}

// The one form of append that nearly all messages have.
const (
	appendHead = `{"type":"input_audio_buffer.append","audio":"`
	appendTail = `"}`
)

// appendFast handles appends that are written in that form, and nothing else.
func (s *Session) appendFast(f frame) bool {
	if f.kind != websocket.TextMessage || !bytes.HasPrefix(f.message, []byte(appendHead)) || !bytes.HasSuffix(f.message, []byte(appendTail)) {
		return false
	}
	encoded := f.message[len(appendHead) : len(f.message)-len(appendTail)]
	audio := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Strict().Decode(audio, encoded)
	if err != nil || n > maxAppend || n%s.settings.Input.sampleBytes() != 0 {
		return false
	}
	s.note(Event{Type: "input_audio_buffer.append", Raw: f.message})
	s.append(audio[:n])
	return true
}

func (s *Session) dispatch(f frame) {
	m, err := parse(f)
	name, _ := m["type"].(string)
	clientID, _ := m["event_id"].(string)
	s.note(Event{Type: name, Raw: f.message})
	if err == nil {
		err = s.handle(name, m)
	}
	if err != nil {
		s.violate(name, err.Message)
		s.send(err.event(clientID))
	}
}

// parse reads the client's JSON. Numbers are kept as they are written.
func parse(f frame) (map[string]any, *Error) {
	if f.kind != websocket.TextMessage {
		return nil, &Error{Code: "invalid_event", Message: "Binary messages are not supported. Send events as JSON text."}
	}
	d := json.NewDecoder(bytes.NewReader(f.message))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, &Error{Code: "invalid_json", Message: "We could not parse your JSON message: " + err.Error()}
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, &Error{Code: "invalid_json", Message: "We could not parse your JSON message: more than one value."}
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, &Error{Code: "invalid_event", Message: "Expected an object, but got " + kindOf(v) + " instead."}
	}
	if _, ok := m["type"].(string); !ok {
		return m, &Error{Code: "invalid_event", Message: "The 'type' field is missing."}
	}
	return m, nil
}

func (s *Session) handle(name string, m map[string]any) *Error {
	valid, ok := s.rules[name]
	if !ok {
		return errValue("type", fmt.Sprintf("Invalid value: '%s'. Supported values are: %s.", name, enumerate(slices.Sorted(maps.Keys(s.rules)))))
	}
	if err := valid("", m); err != nil {
		if name == "conversation.item.truncate" {
			s.recordInvalidTruncation(m, err)
		}
		return err
	}
	switch name {
	case "session.update":
		return s.updateSession(m, false)
	case "transcription_session.update":
		return s.updateSession(m, true)
	case "input_audio_buffer.append":
		return s.appendSlow(m)
	case "input_audio_buffer.commit":
		return s.commit()
	case "input_audio_buffer.clear":
		return s.clear()
	case "output_audio_buffer.clear":
		return errValue("type", "output_audio_buffer.clear is only supported for WebRTC and SIP sessions.")
	case "conversation.item.create":
		return s.createItem(m)
	case "conversation.item.truncate":
		return s.truncateItem(m)
	case "conversation.item.delete":
		return s.deleteItem(m)
	case "conversation.item.retrieve":
		return s.retrieveItem(m)
	case "response.create":
		return s.requestResponse(m)
	case "response.cancel":
		return s.cancelResponse(m)
	}
	panic("realtimetest: event without handler: " + name)
}

// recordInvalidTruncation keeps what tests look for although the event was
// refused before its item was looked at.
func (s *Session) recordInvalidTruncation(m map[string]any, err *Error) {
	id, _ := m["item_id"].(string)
	s.record.truncate(Truncation{At: s.since(), ItemID: id, ContentIndex: number(m["content_index"]), AudioEndMS: number(m["audio_end_ms"]), Error: err})
}

func (s *Session) violate(eventType, text string) {
	s.record.violation(Violation{At: s.since(), Event: eventType, Text: text})
}

// updateSession is session.update, and Beta's transcription_session.update.
func (s *Session) updateSession(m map[string]any, transcription bool) *Error {
	session := m["session"].(map[string]any)
	update := s.settings.updateGA
	if s.Beta {
		update = s.settings.updateBeta
	}
	next, err := update(session, s.hasSpoken)
	if err != nil {
		return err
	}
	if transcription {
		next.Transcription = true
	}
	s.apply(next)
	if s.fault.NoUpdated {
		return nil
	}
	if s.fault.UpdatedDelay > 0 {
		s.agenda.at(time.Now().Add(s.fault.UpdatedDelay), s.confirm)
	} else {
		s.confirm()
	}
	return nil
}

// confirm sends the whole effective session.
func (s *Session) confirm() {
	settings := s.settings
	if s.fault.Echo != "" {
		settings.Input, settings.Output = s.fault.Echo, s.fault.Echo
	}
	name := "session.updated"
	if s.Beta && settings.Transcription {
		name = "transcription_session.updated"
	}
	s.configured = true
	s.send(event(name, member{"session", s.renderSession(&settings)}))
}
