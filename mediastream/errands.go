package mediastream

import "sync"

// errands are what outlives the call that it is for. It can be closed: once
// waited for, nothing more starts.
type errands struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// start runs f in a goroutine of its own and returns true, or does neither
// when it is too late.
func (e *errands) start(f func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.running.Go(f)
	}
	return !e.closed
}

// wait returns when all that was started has ended; nothing starts then.
func (e *errands) wait() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.running.Wait()
}
