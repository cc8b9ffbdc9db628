package sip

import (
	"fmt"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// lines are what the calls of a trunk hold. They are counted by its name: a trunk
// that is changed while it has calls goes on with them.
type lines struct {
	mu   sync.Mutex
	held map[any]*trunk // by calls, and by attempts at one: the trunk as it was then
	pace bucket         // of CallsPerSecond
}

// take gives owner a line, or says that the trunk has no more to give.
func (t *trunk) take(owner any, now time.Time) error {
	t.lines.mu.Lock()
	defer t.lines.mu.Unlock()
	if t.MaxCalls > 0 && len(t.held) >= t.MaxCalls {
		return fmt.Errorf("sip: trunk %s has %d calls: %w", t.Name, len(t.held), media.Busy)
	}
	if rate := float64(t.CallsPerSecond); rate > 0 && !t.pace.take(now, rate, rate) {
		return fmt.Errorf("sip: trunk %s: more than %d calls per second: %w", t.Name, t.CallsPerSecond, media.Busy)
	}
	if t.held == nil {
		t.held = make(map[any]*trunk)
	}
	t.held[owner] = t
	return nil
}

// pass moves a line from one owner to the next. Nothing happens when from has none.
func (l *lines) pass(from, to any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t, ok := l.held[from]; ok {
		delete(l.held, from)
		l.held[to] = t
	}
}

// leave gives owner's line back, if it has one.
func (l *lines) leave(owner any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, owner)
}

// busy reports whether anybody holds a line who got it from this very trunk, not from
// one of the same name that came before or after it.
func (t *trunk) busy() bool {
	t.lines.mu.Lock()
	defer t.lines.mu.Unlock()
	for _, from := range t.held {
		if from == t {
			return true
		}
	}
	return false
}
