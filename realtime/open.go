package realtime

import (
	"context"
	"errors"
)

// Open connects, waits for session.created, configures, waits for
// session.updated and verifies the audio formats it echoes. What fails is one
// of [ConnectError], [HandshakeError], [RefusedError], [FormatError],
// [TimeoutError], [LostError], [ErrClosed] or ctx's cause; see [Retryable].
// After a failure Open may be called again; audio and requests that wait are
// kept.
func (s *Session) Open(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.mu.Lock()
	switch s.state {
	case idle:
	case closed:
		s.mu.Unlock()
		return ErrClosed
	default:
		s.mu.Unlock()
		return errors.New("realtime: session is open already")
	}
	s.state, s.cancelOpen = opening, cancel
	s.mu.Unlock()

	c, err := s.connect(ctx)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == closed {
		err = ErrClosed
	}
	if err != nil {
		if c != nil {
			c.drop()
		}
		s.props.abandon()
		if s.state == opening {
			s.state = idle
		}
		return err
	}
	s.state, s.conn = open, c
	return nil
}

// gate is the way to a usable session: what is being waited for.
type gate struct {
	*Session
	conn    *conn
	waiting string
}

// connect brings a socket through the gate. The socket it returns with an error
// is to be dropped.
func (s *Session) connect(ctx context.Context) (*conn, error) {
	timed, cancel := context.WithTimeoutCause(ctx, s.cfg.ConnectTimeout, errTooLate)
	defer cancel()
	g := &gate{Session: s, waiting: "the connection"}
	err := g.pass(timed)
	if err != nil && timed.Err() != nil {
		// Whatever failed, it failed because the time, or the caller, was up.
		if err = context.Cause(timed); errors.Is(err, errTooLate) {
			err = &TimeoutError{Waiting: g.waiting}
		}
	}
	return g.conn, err
}

var errTooLate = errors.New("connect timeout")

func (g *gate) pass(ctx context.Context) (err error) {
	if g.conn, err = dial(ctx, g.cfg, &g.stats.skipped); err != nil {
		return err
	}
	g.conn.onPing = g.out.answer
	// A socket knows no contexts.
	interrupted := make(chan struct{})
	uninterrupt := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		g.conn.drop()
	})
	defer func() {
		if !uninterrupt() {
			<-interrupted
			if err == nil {
				err = ctx.Err()
			}
		}
	}()

	g.waiting = "session.created"
	if err := g.await(func(e Event) bool { _, ok := e.(SessionCreated); return ok }); err != nil {
		return err
	}
	// Audio before the configuration would be heard in the server's own format,
	// and answered in its own voice.
	g.waiting = "session.updated"
	if err := g.configure(); err != nil {
		return err
	}
	if err := g.await(func(e Event) bool { _, ok := e.(SessionUpdated); return ok }); err != nil {
		return err
	}
	return g.verify()
}

// configure sends the first session.update.
func (g *gate) configure() error {
	g.mu.Lock()
	g.props.begin()
	msg, err := g.newEvent(sessionUpdate).
		with("session", sessionMember(g.cfg.Provider.Dialect, g.props.base.session(g.cfg.Provider.Dialect))).
		encode()
	g.mu.Unlock()
	if err != nil {
		return err
	}
	if err := g.conn.write(msg); err != nil {
		return &LostError{Err: err}
	}
	g.stats.sent.Add(1)
	return nil
}

// await hands events on up to the one that is wanted. An error in its place is
// a refusal, be it correlated or not.
func (g *gate) await(wanted func(Event) bool) error {
	for {
		msg, err := g.conn.read()
		if c := closeFrame(err); c != nil {
			return refusal(c)
		}
		if err != nil {
			return &LostError{Err: err}
		}
		event := g.receive(msg)
		if e, ok := event.(ErrorEvent); ok && e.Error.Kind() != Benign {
			return &RefusedError{Detail: e.Error}
		}
		g.deliver(event)
		if wanted(event) {
			return nil
		}
	}
}

// verify compares the formats: a server that ignores one sends noise.
func (g *gate) verify() error {
	e := g.Effective()
	for _, f := range []FormatError{
		{"input", g.cfg.Properties.InputAudioFormat, e.Input},
		{"output", g.cfg.Properties.OutputAudioFormat, e.Output},
	} {
		if f.Asked != "" && f.Echoed != "" && f.Asked != f.Echoed {
			return &f
		}
	}
	return nil
}
