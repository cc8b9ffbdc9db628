package mediastream

import (
	"context"
	"errors"
	"fmt"

	"github.com/callgw/callgw/bridge/media"
)

// Hangup ends the call for cause and returns when it is over: before the answer
// by a refusal, later at the carrier, which stops the stream, and by closing the
// socket, whether the carrier was asked in vain or cannot be asked. If that takes
// longer than ctx allows, the socket is cut. Only the first cause counts. A call
// that was transferred is left alone.
func (s *Stream) Hangup(ctx context.Context, cause error) error {
	s.because(cause)
	s.mu.Lock()
	sock, running := s.socket, s.running
	s.mu.Unlock()
	if sock == nil || s.isOver() {
		s.complete()
	} else {
		s.awaitStop(ctx)
	}
	s.end(cause)
	switch {
	case running:
		select {
		case <-s.stopped:
			return nil
		case <-ctx.Done():
		}
		if sock != nil {
			_ = sock.Close()
		}
		return fmt.Errorf("mediastream: hang up: %w", context.Cause(ctx))
	case sock != nil:
		s.abandon()
	}
	return nil
}

// abandon ends a stream that nobody runs. It waits for the peer to close, but not
// long, as what the peer has sent since it began is unread.
func (s *Stream) abandon() {
	s.end(media.Internal)
	s.complete()
	s.mu.Lock()
	sock := s.socket
	if s.running || s.parted {
		sock = nil
	}
	s.parted = s.parted || sock != nil
	s.mu.Unlock()
	if sock != nil {
		sock.refuse(s.err())
	}
}

// because sets the cause that the stream will end with, unless there is one.
func (s *Stream) because(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.cause = cause
	}
}

// end lets the stream end for cause, unless it has one.
func (s *Stream) end(cause error) {
	if cause == nil {
		cause = media.CallerHungUp
	}
	s.mu.Lock()
	first := !s.over
	if s.cause == nil {
		s.cause = cause
	}
	cause, s.over = s.cause, true
	s.mu.Unlock()
	if !first {
		return
	}
	var f *fault
	if errors.As(cause, &f) {
		s.cfg.Metrics.faults[f.reason].Inc()
		s.log.Debug().Err(cause).Msg("stream fails")
	}
	close(s.ended)
}

// isOver tells whether the stream is to end.
func (s *Stream) isOver() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// err returns why the stream ends, nil if it does not.
func (s *Stream) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}
