package bridge

import "sync"

// inboxLimit is how many events may wait for the call's own goroutine. It only
// fills when that goroutine is stuck, which is a fault of ours.
const inboxLimit = 512

// inbox is what waits for the call's own goroutine, oldest first. It is as large
// as what waits.
type inbox struct {
	wake chan struct{} // there is something

	mu  sync.Mutex
	ops []func()
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

// put adds op, and reports that there was place for it.
func (b *inbox) put(op func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ops) == inboxLimit {
		return false
	}
	b.ops = append(b.ops, op)
	b.signal()
	return true
}

// take returns the oldest. It is for whoever was woken.
func (b *inbox) take() func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	op := b.ops[0]
	n := copy(b.ops, b.ops[1:])
	b.ops[n] = nil
	if b.ops = b.ops[:n]; n > 0 {
		b.signal()
	}
	return op
}

func (b *inbox) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}
