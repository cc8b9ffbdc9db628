package realtime

import (
	"context"
	"time"
)

const (
	// quietCheck is how often a quiet moment is looked for.
	quietCheck = 100 * time.Millisecond
	// lastChance before the server's own end a session is replaced, quiet or
	// not.
	lastChance = 5 * time.Second
	// freshness of a connection that waits for a quiet moment: nobody reads it,
	// or answers its pings.
	freshness = 10 * time.Second
)

// recycleAt returns when a link is to be replaced, if ever.
func (s *Session) recycleAt(l *link) (time.Time, bool) {
	end := time.Unix(l.effective.ExpiresAt, 0)
	life := end.Sub(l.opened)
	if s.cfg.RecycleBefore < 0 || !s.cfg.repairs() || l.effective.ExpiresAt == 0 || life <= 0 {
		return time.Time{}, false
	}
	return end.Add(-min(s.cfg.RecycleBefore, life/2)), true
}

// recycle replaces a link before its server ends it: at a quiet moment from at
// on, or at the last. The new connection is ready before the old one is let go.
func (s *Session) recycle(ctx context.Context, l *link, at time.Time) {
	if !pause(ctx, time.Until(at)) {
		return
	}
	last := time.Unix(l.effective.ExpiresAt, 0).Add(-lastChance)
	if half := time.Unix(l.effective.ExpiresAt, 0).Sub(at) / 2; half < lastChance {
		last = at.Add(half)
	}
	began := time.Now()
	var next *link
	for ; ; pause(ctx, quietCheck) {
		if ctx.Err() != nil {
			break
		}
		now := time.Now()
		if next != nil && now.Sub(next.opened) > freshness {
			next.drop()
			next = nil
		}
		late := !now.Before(last)
		if !late && !s.quiet(now) {
			continue
		}
		if next == nil {
			began = now
			if next = s.replacement(ctx, l); next == nil {
				continue
			}
			now = time.Now()
			late = !now.Before(last)
		}
		if !late && !s.quiet(now) {
			continue
		}
		if s.exchange(l, next, began) {
			return
		}
		break
	}
	if next != nil {
		next.drop()
	}
}

// replacement returns another connection, or nil after a while.
func (s *Session) replacement(ctx context.Context, l *link) *link {
	timed, cancel := context.WithTimeoutCause(ctx, s.cfg.ConnectTimeout, errTooLate)
	defer cancel()
	search := search{Session: s, list: candidates(s.cfg.Providers, l.provider, nil)}
	next, err := search.run(timed)
	if err != nil {
		pause(ctx, s.cfg.ConnectTimeout)
		return nil
	}
	return next
}

// exchange puts next in the place of l, unless that has ended.
func (s *Session) exchange(l, next *link, began time.Time) bool {
	s.mu.Lock()
	if s.state != running || s.link != l {
		s.mu.Unlock()
		return false
	}
	response := s.responses.active
	s.forget()
	replayed := s.adopt(next)
	s.mu.Unlock()

	if response != "" { // at the last chance only
		s.deliver(next, endOf(response))
	}
	s.tell(next.welcome...)
	s.tell(SessionRecycled{Provider: next.provider.Name, Took: time.Since(began), Replayed: replayed})
	l.retire() // from here on the reader takes what next says
	return true
}

// quiet tells whether nobody would notice: no response, nobody speaking, no
// words of the caller outstanding.
func (s *Session) quiet(now time.Time) bool {
	s.mu.Lock()
	p := s.props.current()
	t, d := p.InputAudioTranscription, p.TurnDetection
	quiet := s.responses.idle() && !s.speaking && !s.due && len(s.calls.running) == 0
	if t != nil && t.Model != NoDetection {
		quiet = quiet && !s.history.untranscribed(now)
	}
	if d != nil && d.Type == NoDetection {
		quiet = quiet && s.out.uncommitted() == 0
	}
	s.mu.Unlock()
	return quiet && (s.cfg.Quiet == nil || s.cfg.Quiet())
}
