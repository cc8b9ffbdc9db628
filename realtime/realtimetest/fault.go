package realtimetest

import (
	"time"

	"github.com/gorilla/websocket"
)

// Fault is what goes wrong in a session. The zero Fault is nothing.
type Fault struct {
	Refuse         int           // answers the handshake with this HTTP status
	HandshakeDelay time.Duration // before the handshake is answered
	CreatedDelay   time.Duration // before session.created; nothing is read until then
	UpdatedDelay   time.Duration // before each session.updated
	NoUpdated      bool          // never answers session.update
	Echo           Format        // session.updated claims this for both directions
	Fail           *Error        // fails every response
	WrongAudio     bool          // sends PCM16 whatever the output format is called
	NoCloseReply   bool          // never answers a close frame, nor closes the connection
	Triggers       []Trigger
}

// Trigger is something that happens at a certain point of a session.
type Trigger struct {
	On    string        // the type of an event, sent or received; empty: session.created
	Nth   int           // which of them, from 1; 0 is the first
	After time.Duration // that event
	Do    Action
}

// Action is what happens. It is called by the session's goroutine. Methods of
// Session are actions by themselves, as in (*Session).Drop.
type Action func(*Session)

// CloseWith closes the session with a close frame.
func CloseWith(code int, reason string) Action {
	return func(s *Session) { s.Close(code, reason) }
}

// SendError sends an error event.
func SendError(err *Error) Action {
	return func(s *Session) { s.SendError(err) }
}

// SendText sends a text message as it stands: malformed JSON, or an event of a
// type that no client knows.
func SendText(message string) Action {
	return func(s *Session) { s.SendFrame(websocket.TextMessage, []byte(message)) }
}

// SendBinary sends a binary message, which no Realtime server does.
func SendBinary(message []byte) Action {
	return func(s *Session) { s.SendFrame(websocket.BinaryMessage, message) }
}

// fire runs the triggers of an event that was just sent or received.
func (s *Session) fire(eventType string) {
	for i := range s.triggers {
		t := &s.triggers[i]
		on := t.On
		if on == "" {
			on = "session.created"
		}
		if on != eventType || t.seen >= max(t.Nth, 1) {
			continue
		}
		if t.seen++; t.seen < max(t.Nth, 1) {
			continue
		}
		do := t.Do
		if t.After > 0 {
			s.agenda.at(time.Now().Add(t.After), func() { do(s) })
		} else {
			s.post(func() { do(s) })
		}
	}
}

// trigger counts the events that a Trigger has seen.
type trigger struct {
	Trigger
	seen int
}

// Close sends a close frame and ends the session when the client answers, or
// after a second. Like the other methods that meddle, it returns at once, may be
// called from anywhere, and does nothing once the session has ended.
func (s *Session) Close(code int, reason string) {
	s.post(func() { s.close(code, reason) })
}

// Drop closes the connection without a close frame, even amid a write that the
// client does not take.
func (s *Session) Drop() {
	s.dropped.Store(true)
	_ = s.conn.Close() // there is nobody to tell
	s.post(func() { s.stop(End{}) })
}

// Expire ends the session as its maximum duration does.
func (s *Session) Expire() { s.post(s.expire) }

// StallReading stops taking messages, so that the client's writes fill up and
// block, pings among them.
func (s *Session) StallReading() { s.post(func() { s.deaf = true }) }

// StallWriting holds back whatever would be sent, pongs and close frames too.
func (s *Session) StallWriting() { s.post(func() { s.mute.Store(true) }) }

// Resume ends both stalls and sends what was held back.
func (s *Session) Resume() {
	s.post(func() {
		s.deaf = false
		s.mute.Store(false)
		held := s.held
		s.held = nil
		for _, h := range held {
			s.write(h.eventType, h.kind, h.message)
		}
	})
}

// SendError sends an error event.
func (s *Session) SendError(err *Error) { s.post(func() { s.send(err.event("")) }) }

// SendFrame sends a WebSocket message as it stands; messageType is RFC 6455's
// opcode: 1 text, 2 binary.
func (s *Session) SendFrame(messageType int, message []byte) {
	s.post(func() { s.write("", messageType, message) })
}

func (s *Session) expire() {
	s.send(errExpired.event(""))
	s.close(websocket.CloseGoingAway, errExpired.Message)
}
