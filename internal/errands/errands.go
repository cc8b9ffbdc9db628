// Package errands runs goroutines that somebody must wait for, and lets no more
// begin once they are waited for. It is a leaf and keeps no state but its own.
package errands

import "sync"

// Group is a wait group that can be closed. Its zero value is ready.
type Group struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// Start runs f in a goroutine of its own and returns true, or does neither once
// the group was waited for.
func (g *Group) Start(f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.running.Go(f)
	}
	return !g.closed
}

// Wait closes the group and returns when all that it started has ended.
func (g *Group) Wait() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.running.Wait()
}
