package pacer

import (
	"slices"
	"sync"
)

// Slot is one task's place in the schedule.
type Slot struct {
	shard *shard
	task  Task
	phase int   // which of the shard's 1 ms slots
	next  int64 // the shard's tick at which the task is due; the shard's goroutine's

	mu      sync.Mutex // held while the task ticks
	removed bool
}

// Remove takes the task out of the schedule. When it returns, Tick is not
// running and will not run again. It may be called from any goroutine and more
// than once, but not from the task's own Tick.
func (s *Slot) Remove() {
	s.mu.Lock()
	removed := s.removed
	s.removed = true
	s.task = nil
	s.mu.Unlock()
	if !removed {
		s.shard.remove(s)
	}
}

// tick runs the task unless it was removed.
func (s *Slot) tick(skipped int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.removed {
		s.task.Tick(skipped)
	}
}

// without returns list without s, in any order, leaving no pointer behind.
func without(list []*Slot, s *Slot) []*Slot {
	i := slices.Index(list, s)
	if i < 0 {
		return list
	}
	last := len(list) - 1
	list[i] = list[last]
	list[last] = nil
	return list[:last]
}
