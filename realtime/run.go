package realtime

import (
	"context"
	"sync"
)

// Run carries an open session until it is closed or lost for good, over as many
// connections as that takes, and returns when all its goroutines are gone: nil
// after Close, ctx's cause if ctx ended it, else a [LostError].
func (s *Session) Run(ctx context.Context) error {
	run, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var aside sync.WaitGroup
	s.mu.Lock()
	switch s.state {
	case open:
		s.state, s.cancel = running, cancel
		s.hire = func(work func(context.Context)) { aside.Go(func() { work(run) }) }
	case closed:
		s.mu.Unlock()
		return nil
	default:
		s.mu.Unlock()
		return ErrNotOpen
	}
	l := s.link
	s.mu.Unlock()

	hung := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(hung)
		s.Close()
	})
	err := s.converse(run, l, &aside)
	// Read before our own end makes it true.
	ours := s.isClosing() || ctx.Err() != nil
	if !unwatch() {
		<-hung
	}
	s.Close()
	aside.Wait()
	switch {
	case ours && ctx.Err() != nil:
		return context.Cause(ctx)
	case ours:
		return nil
	}
	return err
}

// converse goes from connection to connection.
func (s *Session) converse(ctx context.Context, l *link, aside *sync.WaitGroup) error {
	for {
		err := s.carry(ctx, l, aside)
		if s.isClosing() {
			return err
		}
		if err == nil {
			l = s.current()
			continue
		}
		if l, err = s.repair(ctx, l, err); err != nil {
			return err
		}
	}
}

// current returns the connection that there is.
func (s *Session) current() *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}
