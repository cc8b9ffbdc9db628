package realtime

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/internal/jsonscan"
)

// Session is one conversation. Its methods are safe for concurrent use.
type Session struct {
	cfg     Config
	out     *outbox
	stats   counters
	decoder deltaDecoder // of the reader

	mu         sync.Mutex
	state      state
	conn       *conn
	cancelOpen context.CancelCauseFunc
	closing    chan struct{}
	effective  EffectiveSession
	fatal      *ErrorDetail // the last fatal error event
	number     uint64       // of the last client event
	props      settings
	responses  sequence
	retrievals map[string]*retrieval // by item
}

type state uint8

const (
	idle state = iota
	opening
	open
	running
	closed
)

// lastWords is how long a socket that takes nothing more is still read.
const lastWords = 100 * time.Millisecond

// NewSession checks cfg; it does not connect. Its error tells every fault.
func NewSession(cfg Config) (*Session, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	return &Session{
		cfg:        cfg,
		out:        newOutbox(cfg.Properties.InputAudioFormat),
		closing:    make(chan struct{}),
		props:      settings{base: cfg.Properties},
		retrievals: map[string]*retrieval{},
	}, nil
}

// Run carries an open session until it is closed or lost, and returns when all
// its goroutines are gone: nil after Close, ctx's cause if ctx ended it, else a
// [LostError].
func (s *Session) Run(ctx context.Context) error {
	s.mu.Lock()
	switch s.state {
	case open:
		s.state = running
	case closed:
		s.mu.Unlock()
		return nil
	default:
		s.mu.Unlock()
		return ErrNotOpen
	}
	c := s.conn
	s.mu.Unlock()

	hung := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(hung)
		s.Close()
	})
	stop := make(chan struct{})
	var (
		writers sync.WaitGroup
		failed  error // of the writer
	)
	writers.Go(func() {
		w := newWriter(c, s.out, s.cfg.Properties.InputAudioFormat, &s.stats)
		failed = w.run(s.cfg.PingInterval, s.closing, stop)
		switch {
		case failed == nil:
		case errors.Is(failed, ErrPingTimeout), errors.Is(failed, ErrWriteTimeout):
			c.drop() // wakes the reader
		default:
			// The peer has closed, and may have said why.
			c.expire(lastWords)
		}
	})

	err := s.readAll(c)

	// Read before our own end makes it true.
	ours := s.isClosing()
	c.drop() // wakes the writer
	close(stop)
	writers.Wait()
	if !unwatch() {
		<-hung
	}
	s.Close()
	switch {
	case ours && ctx.Err() != nil:
		return context.Cause(ctx)
	case ours:
		return nil
	case failed != nil && closeFrame(err) == nil:
		err = failed
	}
	return s.lost(err)
}

// readAll hands on what comes until the socket ends.
func (s *Session) readAll(c *conn) error {
	for {
		msg, err := c.read()
		if err != nil {
			return err
		}
		if !s.isClosing() {
			s.deliver(s.receive(msg))
		}
	}
}

// receive decodes a message, and hands audio on at once. It returns nil for
// audio.
func (s *Session) receive(msg []byte) Event {
	kind, _ := jsonscan.Peek(msg, "type") // whose faults decode tells
	if isAudioDelta(kind) {
		delta, err := s.decoder.decode(msg)
		if err == nil {
			s.stats.deltas.Add(1)
			s.stats.audioOut.Add(int64(len(delta.Audio)))
			s.cfg.Handler.Audio(delta)
			return nil
		}
		s.stats.received.Add(1)
		s.stats.malformed.Add(1)
		return Unknown{Type: string(kind), Raw: clone(msg), Err: err}
	}
	event, err := decode(msg)
	s.stats.received.Add(1)
	if err != nil {
		s.stats.malformed.Add(1)
	} else if _, ok := event.(Unknown); ok {
		s.stats.unknown.Add(1)
	}
	return event
}

// deliver books an event and hands it on.
func (s *Session) deliver(event Event) {
	if event == nil {
		return
	}
	s.mu.Lock()
	switch e := event.(type) {
	case SessionCreated:
		s.effective = e.Session
	case SessionUpdated:
		s.effective = e.Session
		s.props.confirm()
		e.Differs = s.props.base.differs(s.cfg.Provider.Dialect, e.Session.Raw)
		event = e
	case ResponseCreated:
		s.fatal = nil // it was not, then
		s.responses.created(e.Response)
	case ResponseDone:
		s.responses.done(e.Response)
		_ = s.pump() // fails only when the session is about to end
	case ItemRetrieved:
		s.resolve(e.Item)
	case ErrorEvent:
		s.refused(e.Error)
	}
	s.mu.Unlock()
	s.cfg.Handler.Event(event)
}

// refused books what an error means for what is under way. The caller holds mu.
func (s *Session) refused(e ErrorDetail) {
	if e.Kind() == Fatal {
		s.fatal = &e
	}
	// What cannot be queued now will not be missed: the session is closed, or
	// its socket is stuck and about to be lost.
	if s.responses.refused(e) {
		_ = s.pump()
	}
	if retry, ok := s.props.refused(e); ok {
		_ = s.sendUpdate(retry)
	}
	s.rejectRetrieval(e)
}

// lost turns what ended the reader into a LostError.
func (s *Session) lost(err error) error {
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
	switch was {
	case opening:
		s.cancelOpen(ErrClosed)
	case open:
		_ = s.conn.ws.WriteControl(websocket.CloseMessage,
			websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(s.cfg.CloseTimeout/10))
		s.conn.drop()
	case running:
		s.conn.expire(s.cfg.CloseTimeout)
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
// After Close it does nothing.
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

// Stats returns counters of what crossed the socket.
func (s *Session) Stats() Stats { return s.stats.stats() }
