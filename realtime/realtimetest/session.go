package realtimetest

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Session is one connection to a [Server]. Its exported methods may be called
// at any time from any goroutine.
type Session struct {
	Number int // counted from 0 over the server's handshakes
	Beta   bool
	Query  url.Values
	Header http.Header // of the handshake

	cfg    *Config
	conn   *websocket.Conn
	fault  Fault
	rules  map[string]rule
	ended  <-chan struct{} // the server's end
	began  time.Time
	record record
	done   chan struct{}

	mu    sync.Mutex
	posts []func() // for the session's goroutine, from others
	wake  chan struct{}

	mute    atomic.Bool // writes nothing; the reader's pongs ask as well
	dropped atomic.Bool // by this side, without a close frame
	gone    chan struct{}
	waiting sync.WaitGroup // for replies that are held back

	// All below belongs to the session's goroutine.
	rng            *rand.Rand
	id             string
	conversationID string
	agenda         agenda
	triggers       []trigger
	settings       Settings
	opened         bool // session.created, or the refusal, was sent
	configured     bool // session.updated was sent
	early          bool // audio came before that
	closing        *End // a close frame was sent
	over           *End
	deaf           bool
	held           []held

	dirty     bool // state has changed since it was published
	items     []*Item
	input     input
	lastTurn  turnAudio
	turns     int
	responses int
	active    *response // in the default conversation
	running   []*response
	hasSpoken bool
	playEnd   time.Time // when the audio sent so far has been played
	idle      *task
	tokensIn  int // of the latest response
}

// held is a message that a stall keeps back.
type held struct {
	eventType string
	kind      int
	message   []byte
}

// frame is one message from the client.
type frame struct {
	kind    int
	message []byte
}

// run carries the session until it ends, and returns when its goroutines have.
func (s *Session) run(refusal *refusal) {
	frames := make(chan frame)
	var reader sync.WaitGroup
	var readErr error
	reader.Go(func() { readErr = s.read(frames) })
	now := time.Now()
	s.agenda.at(now.Add(s.fault.CreatedDelay), func() { s.open(refusal) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for s.over == nil {
		in := frames
		if s.deaf || !s.opened {
			in = nil
		}
		next := s.agenda.next()
		wait := time.Hour
		if next != nil {
			wait = time.Until(next.due)
		}
		if wait <= 0 {
			select {
			case f, ok := <-in:
				s.receive(f, ok)
			case <-s.wake:
				s.runPosts()
			case <-s.ended:
				s.stop(End{})
			default:
				s.agenda.run(next, time.Now())
			}
			continue
		}
		timer.Reset(wait)
		select {
		case f, ok := <-in:
			s.receive(f, ok)
		case <-s.wake:
			s.runPosts()
		case <-s.ended:
			s.stop(End{})
		case <-timer.C:
		}
	}
	close(s.gone)
	_ = s.conn.Close() // the socket's end is the session's: nobody is left to tell
	reader.Wait()
	s.waiting.Wait()
	end := *s.over
	switch {
	case s.dropped.Load():
		end = End{}
	case end.ByClient:
		// A write may have failed because the client had closed.
		if read := endOf(readErr); read.Code != 0 || end.Err == nil {
			end = read
		}
	}
	s.record.change(func() { s.record.end = &end })
	close(s.done)
}

// read passes the client's messages on until the connection ends.
func (s *Session) read(frames chan<- frame) error {
	defer close(frames)
	for {
		kind, message, err := s.conn.ReadMessage()
		if err != nil {
			if s.fault.NoCloseReply && endOf(err).Code != 0 {
				s.drain()
			}
			return err
		}
		select {
		case frames <- frame{kind, message}:
		case <-s.gone:
			return nil
		}
	}
}

// drain reads until the client closes the connection itself.
func (s *Session) drain() {
	var waste [512]byte
	for {
		if _, err := s.conn.NetConn().Read(waste[:]); err != nil {
			return
		}
	}
}

func endOf(err error) End {
	var closed *websocket.CloseError
	if errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
		return End{ByClient: true, Code: closed.Code, Reason: closed.Text}
	}
	return End{ByClient: true, Err: err}
}

// open sends what a new connection sees first.
func (s *Session) open(refusal *refusal) {
	s.opened = true
	if refusal != nil {
		s.send(refusal.err.event(""))
		s.close(refusal.code, refusal.err.closeReason())
		return
	}
	now := time.Now()
	s.settings.expires = now.Add(s.cfg.Life).Unix()
	s.dirty = true
	s.agenda.at(now.Add(s.cfg.Life), s.expire)
	s.agenda.add(now.Add(s.cfg.PingInterval), s.ping)
	s.send(event("session.created", member{"session", s.renderSession(&s.settings)}))
	if s.Beta {
		s.send(event("conversation.created", member{"conversation", object{{"id", s.conversationID}, {"object", "realtime.conversation"}}}))
	}
}

func (s *Session) renderSession(settings *Settings) object {
	if s.Beta {
		return settings.renderBeta(s.id)
	}
	return settings.renderGA(s.id)
}

func (s *Session) ping(now time.Time) (time.Time, bool) {
	if !s.mute.Load() {
		if err := s.conn.WriteControl(websocket.PingMessage, nil, now.Add(s.cfg.WriteTimeout)); err != nil {
			s.stop(End{ByClient: true, Err: err})
		}
	}
	return now.Add(s.cfg.PingInterval), true
}

// post has do called by the session's goroutine, unless the session has ended.
func (s *Session) post(do func()) {
	s.mu.Lock()
	s.posts = append(s.posts, do)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Session) runPosts() {
	s.mu.Lock()
	posts := s.posts
	s.posts = nil
	s.mu.Unlock()
	for _, do := range posts {
		if s.over == nil {
			do()
		}
	}
}

// since is the session's age.
func (s *Session) since() time.Duration { return time.Since(s.began) }

// send sends an event, with an event_id after its type.
func (s *Session) send(o object) {
	name := s.wireName(typeOf(o))
	full := append(object{{"type", name}, {"event_id", newID(s.rng, "event")}}, o[1:]...)
	message, err := json.Marshal(full)
	if err != nil {
		// Everything sent is built from decoded JSON, strings and numbers.
		panic("realtimetest: " + err.Error())
	}
	s.write(name, websocket.TextMessage, message)
}

// wireName is what the session's dialect calls an event.
func (s *Session) wireName(ga string) string {
	if name, ok := betaEventNames[ga]; ok && s.Beta {
		return name
	}
	return ga
}

var betaEventNames = map[string]string{
	"response.output_audio.delta":            "response.audio.delta",
	"response.output_audio.done":             "response.audio.done",
	"response.output_audio_transcript.delta": "response.audio_transcript.delta",
	"response.output_audio_transcript.done":  "response.audio_transcript.done",
	"response.output_text.delta":             "response.text.delta",
	"response.output_text.done":              "response.text.done",
}

func (s *Session) write(eventType string, kind int, message []byte) {
	if s.over != nil || s.closing != nil {
		return
	}
	if s.mute.Load() {
		s.held = append(s.held, held{eventType, kind, message})
		return
	}
	s.publish()
	s.note(Event{Sent: true, Type: eventType, Raw: message})
	_ = s.conn.SetWriteDeadline(time.Now().Add(s.cfg.WriteTimeout)) // fails only with the write itself
	if err := s.conn.WriteMessage(kind, message); err != nil {
		s.stop(End{ByClient: true, Err: err})
	}
}

// note records an event and fires what waits for it.
func (s *Session) note(e Event) {
	e.At = s.since()
	s.record.event(e)
	s.cfg.Observe(s, e)
	s.fire(e.Type)
}

// publish makes the session's state visible to its observers, if it changed:
// before the event that tells the client of it is sent.
func (s *Session) publish() {
	if !s.dirty {
		return
	}
	s.dirty = false
	items := make([]Item, len(s.items))
	for i, it := range s.items {
		items[i] = it.snapshot()
	}
	s.record.change(func() { s.record.items, s.record.settings = items, s.settings })
}

// close begins the end with a close frame. RFC 6455 §5.5.1: nothing is sent
// after it; the peer answers with its own.
func (s *Session) close(code int, reason string) {
	if s.closing != nil || s.over != nil {
		return
	}
	s.closing = &End{Code: code, Reason: reason}
	now := time.Now()
	if !s.mute.Load() {
		_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), now.Add(time.Second))
	}
	s.agenda.tasks = nil
	s.agenda.at(now.Add(time.Second), func() { s.stop(*s.closing) })
}

func (s *Session) stop(end End) {
	if s.over == nil {
		s.over = &end
	}
}
