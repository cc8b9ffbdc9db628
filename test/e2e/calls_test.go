package e2e_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge"
)

// Calls keeps what a gateway tells of its calls.
type Calls struct {
	mu      sync.Mutex
	calls   []*Watched
	changed chan struct{} // closed and replaced with every event
}

// Watched is one call and its timeline.
type Watched struct {
	bridge.Facts
	Events []Seen
}

// Seen is an event and when it happened.
type Seen struct {
	bridge.Event
	At time.Time
}

func newCalls() *Calls { return &Calls{changed: make(chan struct{})} }

func (c *Calls) observe(f bridge.Facts, e bridge.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.find(f.ID)
	if w == nil {
		w = &Watched{Facts: f}
		c.calls = append(c.calls, w)
	}
	w.Events = append(w.Events, Seen{e, time.Now()})
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *Calls) find(id string) *Watched {
	for _, w := range c.calls {
		if w.ID == id {
			return w
		}
	}
	return nil
}

// All returns the calls so far, in the order of their arrival.
func (c *Calls) All() []Watched {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []Watched
	for _, w := range c.calls {
		all = append(all, w.copy())
	}
	return all
}

func (w *Watched) copy() Watched {
	return Watched{w.Facts, append([]Seen(nil), w.Events...)}
}

// Await returns the n-th call, counted from 0, as soon as the event has happened
// to it, and when that was.
func (c *Calls) Await(t *testing.T, n int, event string) (Watched, Seen) {
	t.Helper()
	return c.AwaitFor(t, patience, n, event)
}

// AwaitFor is Await with a limit of its own.
func (c *Calls) AwaitFor(t *testing.T, limit time.Duration, n int, event string) (Watched, Seen) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		c.mu.Lock()
		var w Watched
		if n < len(c.calls) {
			w = c.calls[n].copy()
		}
		changed := c.changed
		c.mu.Unlock()
		if e, ok := w.Find(event); ok {
			return w, e
		}
		select {
		case <-changed:
		case <-deadline.C:
			t.Fatalf("call %d: no %q within %v, but\n%v", n, event, limit, w)
		}
	}
}

// Find returns the first event of that name.
func (w Watched) Find(name string) (Seen, bool) {
	for _, e := range w.Events {
		if e.Name == name {
			return e, true
		}
	}
	return Seen{}, false
}

// Attr returns a detail of an event, nil if it has none of that name.
func (s Seen) Attr(key string) any {
	for _, a := range s.Attrs {
		if a.Key == key {
			return a.Value
		}
	}
	return nil
}

func (w Watched) String() string {
	text := fmt.Sprintf("%s call %s\n", w.Leg, w.ID)
	for _, e := range w.Events {
		text += fmt.Sprintf("  %8.3fs %s %v\n", e.Offset.Seconds(), e.Name, e.Attrs)
	}
	return text
}
