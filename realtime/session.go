package realtime

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/internal/jsonscan"
)

// Session is one conversation, over one connection after another. Its methods
// are safe for concurrent use.
type Session struct {
	cfg   Config
	out   *outbox
	stats counters

	hand sync.Mutex // held while the handler is called

	mu         sync.Mutex
	state      state
	link       *link                   // nil while there is none
	cancel     context.CancelCauseFunc // of Open or Run
	closing    chan struct{}
	name       string // of the provider
	effective  EffectiveSession
	fatal      *ErrorDetail // the last fatal error
	number     uint64       // of the last client event
	items      uint64       // of the last item that was given an id here
	props      settings
	responses  sequence
	retrievals map[string]*retrieval // by item
	history    history
	turn       turn
	speaking   bool // the caller, as far as the server has said
	due        bool // the server owes a response that nobody asks for
	spent      spent
	functions  map[string]*function
	servers    map[string]MCPServer // by label
	calls      calls
	hire       func(func(context.Context)) // starts work that belongs to Run; nil before it
}

type state uint8

const (
	idle state = iota
	opening
	open
	running
	repairing // running, without a connection
	closed
)

// lastWords is how long a socket that takes nothing more is still read.
const lastWords = 100 * time.Millisecond

// NewSession checks cfg; it does not connect. Its error tells every fault.
func NewSession(cfg Config) (*Session, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	tools, err := cfg.toolset()
	if err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	cfg.Properties.Tools = tools.declared
	s := &Session{
		cfg:        cfg,
		closing:    make(chan struct{}),
		props:      settings{base: cfg.Properties},
		retrievals: map[string]*retrieval{},
		functions:  tools.functions,
		servers:    tools.servers,
		calls:      newCalls(),
	}
	keep := time.Duration(0)
	if cfg.repairs() {
		keep = replayTime
	}
	s.out = newOutbox(cfg.Properties.InputAudioFormat, keep)
	for _, item := range cfg.Items {
		if item.ID == "" {
			item.ID = s.newItemID()
		}
		e := ours(item)
		e.pinned = true
		s.history.append(e)
	}
	return s, nil
}

// readAll hands on what comes from a link until it ends.
func (s *Session) readAll(l *link) error {
	for {
		msg, err := l.read()
		if err != nil {
			return err
		}
		if !s.isClosing() {
			s.deliver(l, s.receive(l, msg))
		}
	}
}

// receive decodes a message, and hands audio on at once. It returns nil for
// audio.
func (s *Session) receive(l *link, msg []byte) Event {
	kind, _ := jsonscan.Peek(msg, "type") // whose faults decode tells
	if isAudioDelta(kind) {
		into := buffers.Get().(*buffer)
		defer into.release()
		delta, err := decodeDelta(msg, into)
		if err == nil {
			s.stats.deltas.Add(1)
			s.stats.audioOut.Add(int64(len(delta.Audio)))
			if s.bookAudio(l, delta) {
				s.hand.Lock()
				s.cfg.Handler.Audio(delta)
				s.hand.Unlock()
			}
			return nil
		}
		s.stats.received.Add(1)
		s.stats.malformed.Add(1)
		return Unknown{Type: string(kind), Raw: clone(msg), Err: err}
	}
	return s.decode(msg)
}

// decode decodes a message that is not audio, and counts it.
func (s *Session) decode(msg []byte) Event {
	event, err := decode(msg)
	s.stats.received.Add(1)
	if err != nil {
		s.stats.malformed.Add(1)
	} else if _, ok := event.(Unknown); ok {
		s.stats.unknown.Add(1)
	}
	return event
}

// deliver books an event of a link and hands on what there is to tell of it;
// nothing if another link has taken its place.
func (s *Session) deliver(l *link, event Event) {
	if event == nil {
		return
	}
	s.mu.Lock()
	if s.link != l {
		s.mu.Unlock()
		return
	}
	events := s.book(event)
	if s.history.isCut && !s.history.told {
		s.history.told = true
		events = append(events, ConversationCut{})
	}
	work := s.bookCalls(event)
	s.mu.Unlock()
	s.tell(events...)
	if work != nil {
		work()
	}
}

// tell calls the handler, in the order of what happened.
func (s *Session) tell(events ...Event) {
	s.hand.Lock()
	defer s.hand.Unlock()
	for _, event := range events {
		s.cfg.Handler.Event(event)
	}
}

// lost turns what ended the reader into a LostError.
func (s *Session) lost(err error) *LostError {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &LostError{Detail: s.fatal, Err: err}
	if c := closeFrame(err); c != nil {
		e.Close, e.Reason = c.Code, c.Text
	}
	return e
}

// closeFrame returns the close frame that ended the reader, or nil.
func closeFrame(err error) *websocket.CloseError {
	var c *websocket.CloseError
	// 1006 stands for no close frame at all (RFC 6455 §7.1.5).
	if errors.As(err, &c) && c.Code != websocket.CloseAbnormalClosure {
		return c
	}
	return nil
}

// Close ends the session politely; Run returns within CloseTimeout. What still
// waits for the socket is dropped, and nothing more is handed on but what is
// being handled. Close may be called at any time and more than once: an Open
// under way fails with [ErrClosed].
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.state
	if was == closed {
		return
	}
	s.state = closed
	close(s.closing)
	s.out.close()
	s.failRetrievals(ErrClosed)
	if s.cancel != nil {
		s.cancel(ErrClosed)
	}
	switch was {
	case open:
		_ = s.link.ws.WriteControl(websocket.CloseMessage,
			websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(s.cfg.CloseTimeout/10))
		s.link.drop()
	case running:
		s.link.expire(s.cfg.CloseTimeout)
	}
}

func (s *Session) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// Append sends caller audio. It never blocks: audio appended while the socket
// is slow, or before Open is done, is kept (at most 5 s, then the oldest goes).
// While a lost connection is being replaced it waits with what no server has
// made an item of, at most 15 s of both. After Close it does nothing.
func (s *Session) Append(audio []byte) {
	if dropped, ok := s.out.append(audio); ok {
		s.stats.audioIn.Add(int64(len(audio)))
		if dropped > 0 {
			s.stats.audioDropped.Add(int64(dropped))
		}
	}
}

// Effective returns the session as the server last described it.
func (s *Session) Effective() EffectiveSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.effective
}

// Provider returns the name of the provider that has the conversation, or had
// it last; empty before Open is done.
func (s *Session) Provider() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name
}

// Stats returns counters of what crossed the sockets.
func (s *Session) Stats() Stats { return s.stats.stats() }
