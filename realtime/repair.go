package realtime

import (
	"context"
	"errors"
	"time"
)

// settled is how long a connection must last for the losses before it to be
// forgotten.
const settled = 10 * time.Second

// spent is what repairs have cost since the last connection that settled: a
// server that takes every session and drops it at once is not tried for ever.
type spent struct {
	time   time.Duration // without a connection
	rounds int           // of attempts
}

// repair replaces a connection that was lost. Its error is the loss.
func (s *Session) repair(ctx context.Context, l *link, loss error) (*link, error) {
	if !s.cfg.repairs() {
		return nil, loss
	}
	began := time.Now()
	if began.Sub(l.opened) >= settled {
		s.spent = spent{}
	}
	response, ok := s.detach(l)
	if !ok {
		return s.current(), nil // it was being replaced already
	}
	if s.isClosing() {
		return nil, loss
	}
	if response != "" {
		s.deliver(nil, endOf(response))
	}
	s.tell(SessionLost{Provider: l.provider.Name, Err: loss})

	timed, cancel := context.WithTimeoutCause(ctx, s.cfg.RepairTimeout-s.spent.time, errTooLate)
	defer cancel()
	search := search{Session: s, list: candidates(s.cfg.Providers, l.provider, loss), round: s.spent.rounds}
	next, err := search.run(timed)
	s.spent.rounds = search.round + 1
	s.spent.time += time.Since(began)
	if err != nil {
		return nil, loss
	}
	replayed, ok := s.attach(next)
	if !ok {
		next.drop()
		return nil, loss
	}
	s.tell(next.welcome...)
	s.tell(SessionRestored{Provider: next.provider.Name, Took: time.Since(began), Replayed: replayed})
	return next, nil
}

// detach leaves the session without a connection, if it was l. It returns the id
// of the response that is left without an end, if any.
func (s *Session) detach(l *link) (response string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != l {
		return "", false
	}
	if s.state != closed {
		s.state = repairing
	}
	s.link = nil
	response = s.responses.active
	s.forget()
	return response, true
}

// endOf is the end of a response of which no server will tell: every response
// ends, for whoever follows it.
func endOf(response string) ResponseDone {
	return ResponseDone{Response{
		ID: response, Status: "incomplete",
		StatusDetails: &StatusDetails{Type: "incomplete", Reason: SessionLostReason},
	}}
}

// forget takes back what only the lost connection knew. The caller holds mu.
func (s *Session) forget() {
	s.out.detach()
	s.responses.interrupt(s.due)
	s.calls.lost()
	s.turn, s.speaking, s.due = turn{}, false, false
}

// attach gives a session without a connection a new one, unless it was closed.
func (s *Session) attach(l *link) (replayed int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == closed {
		return 0, false
	}
	s.state = running
	return s.adopt(l), true
}

// candidates orders the providers for another attempt: the one that was lost
// first, unless it would only refuse again, then those behind it.
func candidates(providers []Provider, lost Provider, loss error) []candidate {
	at := 0
	for i, p := range providers {
		if p.Name == lost.Name && p.BaseURL == lost.BaseURL {
			at = i
		}
	}
	var list []candidate
	for i := range providers {
		list = append(list, candidate{Provider: providers[(at+i)%len(providers)]})
	}
	var e *LostError
	// A polite close amid a conversation is no refusal of the next one.
	if errors.As(loss, &e) && !e.Retryable() && (e.Detail != nil || e.Close != 1000) {
		list[0].out = true
	}
	return list
}
