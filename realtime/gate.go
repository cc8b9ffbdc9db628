package realtime

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What a server may say before the session is usable, in messages and bytes. It
// has nothing to say but session.created and session.updated.
const (
	maxWelcome      = 64
	maxWelcomeBytes = 1 << 20
)

// gate is the way to a usable connection: what is being waited for.
type gate struct {
	*Session
	link    *link
	waiting string
	events  int // that were not waited for, and their bytes
	bytes   int
}

// connect brings a socket to a provider through the gate, within ConnectTimeout
// and ctx, whose own timeout has the cause errTooLate.
func (s *Session) connect(ctx context.Context, p Provider) (*link, error) {
	timed, cancel := context.WithTimeoutCause(ctx, s.cfg.ConnectTimeout, errTooLate)
	defer cancel()
	s.mu.Lock()
	configured := *s.props.current()
	s.mu.Unlock()
	g := &gate{
		Session: s, waiting: "the connection",
		link: &link{provider: p, configured: configured, stop: make(chan struct{})},
	}
	err := g.pass(timed)
	if err == nil {
		g.link.opened = time.Now()
		return g.link, nil
	}
	if g.link.conn != nil {
		g.link.drop()
	}
	if timed.Err() != nil {
		// Whatever failed, it failed because the time, or the caller, was up.
		if err = context.Cause(timed); errors.Is(err, errTooLate) {
			err = &TimeoutError{Waiting: g.waiting}
		}
	}
	return nil, err
}

var errTooLate = errors.New("connect timeout")

func (g *gate) pass(ctx context.Context) (err error) {
	l := g.link
	if l.conn, err = dial(ctx, g.cfg, l.provider, &g.stats.skipped); err != nil {
		return err
	}
	// A socket knows no contexts.
	interrupted := make(chan struct{})
	uninterrupt := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		l.drop()
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
	dialect := g.link.provider.Dialect
	g.mu.Lock()
	d := g.draft(sessionUpdate, constant("session", sessionMember(dialect, g.link.configured.session(dialect))))
	g.mu.Unlock()
	msg, err := d.encode(dialect)
	if err != nil {
		return err
	}
	if err := g.link.conn.write(msg); err != nil {
		return &LostError{Err: err}
	}
	g.stats.sent.Add(1)
	return nil
}

// await keeps the events it knows for the handler, up to the one that is wanted.
// An error in its place is a refusal, be it correlated or not.
func (g *gate) await(wanted func(Event) bool) error {
	for {
		msg, err := g.link.read()
		if c := closeFrame(err); c != nil {
			return refusal(c)
		}
		if err != nil {
			return &LostError{Err: err}
		}
		event := g.decode(msg)
		switch e := event.(type) {
		case ErrorEvent:
			if e.Error.Kind() != Benign {
				return &RefusedError{Detail: e.Error}
			}
		case SessionCreated:
			g.link.effective = e.Session
		case SessionUpdated:
			if e.Session.ExpiresAt == 0 {
				e.Session.ExpiresAt = g.link.effective.ExpiresAt
			}
			g.link.effective = e.Session
			e.Differs = g.link.configured.differs(g.link.provider.Dialect, e.Session.Raw)
			event = e
		}
		if _, unknown := event.(Unknown); !unknown {
			g.link.welcome = append(g.link.welcome, event)
		}
		if wanted(event) {
			return nil
		}
		g.events, g.bytes = g.events+1, g.bytes+len(msg)
		if g.events > maxWelcome || g.bytes > maxWelcomeBytes {
			return &LostError{Err: fmt.Errorf("%w %s", ErrBabble, g.waiting)}
		}
	}
}

// verify compares the formats: a server that ignores one sends noise.
func (g *gate) verify() error {
	e := g.link.effective
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
