package mediastream

import (
	"context"
	"time"
)

const (
	// hangUpPatience bounds the hang-up at the carrier, with its repetitions.
	hangUpPatience = 10 * time.Second
	// stopWait is how long the carrier may take to stop the stream of a call
	// that it was asked to end or to take elsewhere.
	stopWait = 2 * time.Second
)

// complete lets the carrier end the call, whatever has become of the socket: a
// stalled one would leave the caller on a dead line. It returns what is closed
// when the carrier has answered, nil if there is nothing to do: the call was
// never answered, or the carrier has it no longer.
func (s *Stream) complete() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cfg.HangUp == nil || !s.answered || s.gone {
		return nil
	}
	if s.completing == nil {
		done := make(chan struct{})
		if !s.errands.Start(func() {
			defer close(done)
			s.hangUp()
		}) {
			return nil
		}
		s.completing = done
	}
	return s.completing
}

// hangUp ends the call at the carrier.
func (s *Stream) hangUp() {
	s.control <- struct{}{} // a transfer under way decides first
	defer func() { <-s.control }()
	if s.isGone() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), hangUpPatience)
	defer cancel()
	if err := s.cfg.HangUp(ctx, s.call); err != nil {
		s.cfg.Metrics.faults[faultHangUp].Inc()
		s.log.Warn().Err(err).Msg("hang-up at the carrier failed: the call may go on there")
		return
	}
	s.mu.Lock()
	s.completed = true
	s.mu.Unlock()
}

// awaitStop asks the carrier to end the call and waits for it to stop the
// stream, as closing the socket first would be logged as an error there. It
// leaves time to close the socket within ctx.
func (s *Stream) awaitStop(ctx context.Context) {
	done := s.complete()
	if done == nil {
		return
	}
	wait := stopWait
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline)-closeWait)
	}
	patience := time.NewTimer(max(wait, 0))
	defer patience.Stop()
	select {
	case <-done:
	case <-s.ended:
		return
	case <-patience.C:
		return
	case <-ctx.Done():
		return
	}
	s.mu.Lock()
	completed := s.completed
	s.mu.Unlock()
	if !completed {
		return
	}
	select {
	case <-s.ended:
	case <-patience.C:
	case <-ctx.Done():
	}
}

// leave books that the carrier has ended the call or the stream, or has taken
// the call elsewhere: there is nothing to hang up.
func (s *Stream) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
}

func (s *Stream) isGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}
