package realtimetest

import (
	"context"
	"fmt"
	"slices"
)

// End is how a session ended.
type End struct {
	ByClient bool   // it closed, or its connection broke
	Code     int    // of the close frame that began the end; 0 without one
	Reason   string // of the close frame
	Err      error  // of the connection, if it just broke
}

// Done is closed when the session has ended and its goroutines are gone.
func (s *Session) Done() <-chan struct{} { return s.done }

// End tells how the session ended; false if it has not.
func (s *Session) End() (End, bool) {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	if s.record.end == nil {
		return End{}, false
	}
	return *s.record.end, true
}

// Events returns all events in the order in which they were received and sent.
func (s *Session) Events() []Event { return snapshot(s, &s.record.events) }

// Input returns the caller's audio as it was received.
func (s *Session) Input() []byte { return snapshot(s, &s.record.input) }

// InputBytes returns how much that was; a server that forgets counts, too.
func (s *Session) InputBytes() int64 {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return s.record.inputBytes
}

// Outputs returns the audio that was sent, by item, in the order in which
// the items began.
func (s *Session) Outputs() []OutputAudio {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	all := make([]OutputAudio, len(s.record.outputs))
	for i, o := range s.record.outputs {
		all[i] = *o
		all[i].Audio = slices.Clone(o.Audio)
	}
	return all
}

// Truncations returns the truncations that the client asked for, refused ones
// included.
func (s *Session) Truncations() []Truncation { return snapshot(s, &s.record.truncations) }

// Deletions returns the items that the client deleted.
func (s *Session) Deletions() []Deletion { return snapshot(s, &s.record.deletions) }

// Violations returns what the client did wrong.
func (s *Session) Violations() []Violation { return snapshot(s, &s.record.violations) }

// Items returns the conversation as it stood at the latest event. The text and
// audio of an item that is being sent are missing until it is complete.
func (s *Session) Items() []Item { return snapshot(s, &s.record.items) }

// Settings returns the effective configuration.
func (s *Session) Settings() Settings {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return s.record.settings
}

func snapshot[T any](s *Session, list *[]T) []T {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return slices.Clone(*list)
}

// Wait returns when cond holds. It is evaluated at once and after everything
// that happens in the session, without a lock held. The error is ErrEnded if
// the session ended before, or the context's cause.
func (s *Session) Wait(ctx context.Context, cond func() bool) error {
	return s.record.wait(ctx, cond)
}

// WaitEvent returns the n-th event of a type, counted from 1, sent or received.
func (s *Session) WaitEvent(ctx context.Context, eventType string, n int) (Event, error) {
	var found Event
	err := s.Wait(ctx, func() bool {
		seen := 0
		s.record.mu.Lock()
		defer s.record.mu.Unlock()
		for _, e := range s.record.events {
			if e.Type == eventType {
				if seen++; seen == n {
					found = e
					return true
				}
			}
		}
		return false
	})
	if err != nil {
		return Event{}, fmt.Errorf("realtimetest: waiting for %s no. %d: %w", eventType, n, err)
	}
	return found, nil
}
