package mediastream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// Ring does nothing: the carrier lets the caller hear ringing until the answer.
func (s *Stream) Ring(context.Context) error { return nil }

// Answer answers the webhook and returns when the stream has begun. Errors wrap
// a cause: that of an earlier end, or media.NoAnswer if the stream does not
// begin before ctx ends or the token expires. Run must have been called. Of a
// call out it waits until the phone was picked up.
func (s *Stream) Answer(ctx context.Context) error {
	if s.placed != nil {
		return s.pickUp(ctx)
	}
	if s.profile.born {
		return s.accept()
	}
	self := newPromise()
	self.keep(s)
	token := s.tokens.issue(self)
	defer s.tokens.revoke(token)
	origin := s.cfg.origin()
	if !s.decide(s.profile.answers.connect(connection{s.cfg.streamURL(s.profile.media), origin + s.profile.status, token})) {
		if err := s.err(); err != nil {
			return err
		}
		return errors.New("mediastream: answer: the call is answered")
	}
	expired := time.NewTimer(s.cfg.TokenTTL)
	defer expired.Stop()
	select {
	case <-s.attached:
		return nil
	case <-s.ended:
		return s.err()
	case <-ctx.Done():
		return fmt.Errorf("mediastream: answer: %w: %w", media.NoAnswer, context.Cause(ctx))
	case <-expired.C:
		return fmt.Errorf("mediastream: answer: no stream within %v: %w", s.cfg.TokenTTL, media.NoAnswer)
	}
}

// decide sends the webhook's answer. It returns false if there is one, or if
// the stream has ended.
func (s *Stream) decide(twiml string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered || s.over {
		return false
	}
	s.answered = true
	s.reply <- twiml
	return true
}

// ringing tells that nothing has answered the webhook yet.
func (s *Stream) ringing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.answered && !s.over
}

// isAnswered tells whether the call was.
func (s *Stream) isAnswered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered
}
