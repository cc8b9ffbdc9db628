package realtime

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	firstBackoff = 100 * time.Millisecond
	mostBackoff  = time.Second
	// limitedBackoff is how long a provider is left alone that says it was asked
	// too much, but not for how long.
	limitedBackoff = time.Second
)

// search looks for a provider that takes a session, in rounds.
type search struct {
	*Session
	list  []candidate
	round int
}

// candidate is a provider that may take the session.
type candidate struct {
	Provider
	out   bool      // it will not
	after time.Time // it wants to be left alone until then
}

// run returns the first connection that it gets before ctx ends.
func (s *search) run(ctx context.Context) (*link, error) {
	err := errors.New("realtime: no provider is worth another attempt")
	for ; s.left() > 0; s.round++ {
		if !pause(ctx, backoff(s.round)) {
			return nil, err
		}
		left := s.left()
		for i := range s.list {
			c := &s.list[i]
			if c.out {
				continue
			}
			share := s.share(ctx, left)
			left--
			if time.Now().Before(c.after) {
				continue
			}
			l, refusal := s.ask(ctx, c.Provider, share)
			if refusal == nil {
				return l, nil
			}
			err = refusal
			if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errTooLate) {
				return nil, err
			}
			s.tell(ProviderRefused{Provider: c.Name, Err: refusal})
			c.out = !Retryable(refusal)
			c.after = time.Now().Add(retryAfter(refusal))
		}
	}
	return nil, err
}

// left returns how many are worth an attempt.
func (s *search) left() int {
	n := 0
	for _, c := range s.list {
		if !c.out {
			n++
		}
	}
	return n
}

// share divides the time that is left among those that are: one that does not
// answer must leave some for the next.
func (s *search) share(ctx context.Context, among int) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return s.cfg.ConnectTimeout
	}
	return time.Until(deadline) / time.Duration(max(among, 1))
}

func (s *search) ask(ctx context.Context, p Provider, within time.Duration) (*link, error) {
	timed, cancel := context.WithTimeoutCause(ctx, within, errTooLate)
	defer cancel()
	return s.connect(timed, p)
}

// backoff grows from round to round. Half of it is chance, so that sessions
// that were lost together do not come back together.
func backoff(round int) time.Duration {
	if round == 0 {
		return 0
	}
	d := min(firstBackoff<<min(round-1, 10), mostBackoff)
	return d/2 + rand.N(d/2)
}

// retryAfter is how long a provider wants to be left alone.
func retryAfter(err error) time.Duration {
	var handshake *HandshakeError
	if errors.As(err, &handshake) && handshake.RetryAfter > 0 {
		return handshake.RetryAfter
	}
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Detail.Code == codeRateLimit {
		if d := refused.Detail.RetryAfter(); d > 0 {
			return d
		}
		return limitedBackoff
	}
	return 0
}

// pause waits for d and tells whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
