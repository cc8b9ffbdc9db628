package rtp

import (
	"context"
	"sync"
	"time"
)

const (
	// sweepTime is how often each session's RTCP is looked after.
	sweepTime = time.Second
	// sweepSlots spread the sessions over that time.
	sweepSlots = 20
)

// Reporter exchanges the RTCP reports of many sessions (RFC 3550 §6). One
// goroutine, that of Run, looks after each of them once a second.
type Reporter struct {
	mu    sync.Mutex
	slots [sweepSlots]map[*reports]struct{}
}

// NewReporter returns a reporter. Sessions whose Config names it report while Run
// runs.
func NewReporter() *Reporter { return &Reporter{} }

// Run sweeps until ctx ends, then returns nil. It is to be called once.
func (r *Reporter) Run(ctx context.Context) error {
	ticker := time.NewTicker(sweepTime / sweepSlots)
	defer ticker.Stop()
	buffer := make([]byte, maxDatagram)
	var due []*reports
	for slot := 0; ; slot = (slot + 1) % sweepSlots {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		due = due[:0]
		r.mu.Lock()
		for s := range r.slots[slot] {
			due = append(due, s)
		}
		r.mu.Unlock()
		for i, s := range due {
			s.sweep(time.Now(), buffer)
			due[i] = nil // ended sessions are not kept
		}
	}
}

// Sessions returns how many sessions report now.
func (r *Reporter) Sessions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, slot := range r.slots {
		n += len(slot)
	}
	return n
}

// add has s swept, in the emptiest slot.
func (r *Reporter) add(s *reports) {
	r.mu.Lock()
	defer r.mu.Unlock()
	least := 0
	for i := range r.slots {
		if len(r.slots[i]) < len(r.slots[least]) {
			least = i
		}
	}
	if r.slots[least] == nil {
		r.slots[least] = make(map[*reports]struct{})
	}
	r.slots[least][s] = struct{}{}
}

// remove ends that. A sweep of s that has begun goes on.
func (r *Reporter) remove(s *reports) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.slots {
		delete(r.slots[i], s)
	}
}
