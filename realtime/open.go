package realtime

import (
	"context"
	"errors"
	"time"
)

// Open opens the session at the first provider that takes it: it connects,
// waits for session.created, configures, waits for session.updated and verifies
// the audio formats it echoes. The handler hears of every refusal
// ([ProviderRefused]) and of the success ([SessionOpened]). The error is that of
// the last provider: [ConnectError], [HandshakeError], [RefusedError],
// [FormatError], [TimeoutError], [LostError]; or [ErrClosed] or ctx's cause; see
// [Retryable]. After a failure Open may be called again; audio and requests that
// wait are kept.
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
	s.state, s.cancel = opening, cancel
	s.mu.Unlock()

	began := time.Now()
	l, err := s.first(ctx)

	s.mu.Lock()
	if s.state == closed {
		err = ErrClosed
	}
	if err != nil {
		if l != nil {
			l.drop()
		}
		if s.state == opening {
			s.state = idle
		}
		s.mu.Unlock()
		return err
	}
	s.adopt(l)
	s.state, s.cancel = open, nil
	s.mu.Unlock()
	s.tell(l.welcome...)
	s.tell(SessionOpened{Provider: l.provider.Name, Took: time.Since(began)})
	return nil
}

// first tries each provider once.
func (s *Session) first(ctx context.Context) (l *link, err error) {
	for _, p := range s.cfg.Providers {
		if l, err = s.connect(ctx, p); err == nil || ctx.Err() != nil {
			return l, err
		}
		s.tell(ProviderRefused{Provider: p.Name, Err: err})
	}
	return nil, err
}

// adopt makes l the session's connection and tells it all that came before. The
// caller holds mu. It returns how many items that was.
func (s *Session) adopt(l *link) int {
	wanted := *s.props.current()
	s.props = settings{base: l.configured}
	s.link, s.name, s.effective, s.fatal = l, l.provider.Name, l.effective, nil

	var first []draft
	if d, ok := s.update(wanted); ok { // it changed while the connection was made
		s.props.pending = []change{{d.id, wanted}}
		first = append(first, d)
	}
	items := s.replay(s.out.unsent())
	for _, item := range items {
		d := s.create(item, "")
		if e := s.history.find(item.ID); e.origin == OriginOurs {
			e.created = d.id
		}
		first = append(first, d)
	}
	first = append(first, s.retrieveAgain()...)
	s.out.attach(l, l.provider.Dialect, first)
	s.settle()
	_ = s.pump() // fails only when the session is about to end
	return len(items)
}
