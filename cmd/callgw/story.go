package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge"
)

// story prints what happens in the calls of a demonstration, as it happens, and
// sums it up.
type story struct {
	out io.Writer

	mu    sync.Mutex
	calls []*chapter
	ended chan struct{} // a value for each call that ended
}

// chapter is one call.
type chapter struct {
	title  string
	counts map[string]int
	setup  time.Duration
	reply  []time.Duration
	cause  string
}

func newStory(out io.Writer) *story {
	return &story{out: out, ended: make(chan struct{}, 1024)}
}

// begin opens the chapter of the next call.
func (s *story) begin(title string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, &chapter{title: title, counts: map[string]int{}})
	fmt.Fprintf(s.out, "\n%s\n", title)
}

// awaitEnd waits until the gateway's side of the call is over.
func (s *story) awaitEnd(ctx context.Context) {
	select {
	case <-s.ended:
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
	}
}

// observe prints an event and takes note of it.
func (s *story) observe(_ bridge.Facts, e bridge.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) == 0 {
		return // somebody calls while none of ours runs
	}
	c := s.calls[len(s.calls)-1]
	c.counts[e.Name]++
	var attrs []string
	for _, a := range e.Attrs {
		if a.Key == "item" {
			continue // an id, of no interest here
		}
		value := a.Value
		if d, ok := value.(time.Duration); ok {
			value = d.Round(time.Microsecond)
		}
		attrs = append(attrs, fmt.Sprintf("%s=%v", a.Key, value))
		switch {
		case e.Name == bridge.EventReply && a.Key == "latency":
			c.reply = append(c.reply, a.Value.(time.Duration))
		case e.Name == bridge.EventEnded && a.Key == "cause":
			c.cause = a.Value.(string)
		}
	}
	if e.Name == bridge.EventAnswered {
		c.setup = e.Offset
	}
	fmt.Fprintf(s.out, "  %8.3fs  %-14s %s\n", e.Offset.Seconds(), e.Name, strings.Join(attrs, " "))
	if e.Name == bridge.EventEnded {
		select {
		case s.ended <- struct{}{}:
		default:
		}
	}
}

// summary sums the calls up and says what is missing.
func (s *story) summary() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(s.out, "\nSummary")
	var missing []error
	for _, c := range s.calls {
		replies := make([]string, len(c.reply))
		for i, r := range c.reply {
			replies[i] = r.Round(time.Millisecond).String()
		}
		fmt.Fprintf(s.out, "  %-18s answered after %v, replies after %s, %d barge-in, ended: %s\n",
			c.title, c.setup.Round(time.Millisecond), strings.Join(replies, " and "), c.counts[bridge.EventBargeIn], c.cause)
		for _, must := range []struct {
			event string
			n     int
		}{
			{bridge.EventAnswered, 1},
			{bridge.EventReply, 2},
			{bridge.EventBargeIn, 1},
			{bridge.EventTruncated, 1},
			{bridge.EventEnded, 1},
		} {
			if c.counts[must.event] < must.n {
				missing = append(missing, fmt.Errorf("%s: %d × %s, want %d", c.title, c.counts[must.event], must.event, must.n))
			}
		}
		if n := c.counts[bridge.EventError]; n > 0 {
			missing = append(missing, fmt.Errorf("%s: %d errors", c.title, n))
		}
	}
	return errors.Join(missing...)
}
