package e2e_test

import (
	"context"
	"testing"
	"time"
)

// await fails the test if done is not closed in time.
func await(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	awaitFor(t, patience, done, what)
}

func awaitFor(t *testing.T, limit time.Duration, done <-chan struct{}, what string) {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		t.Fatalf("waited %v for %s", limit, what)
	}
}

// within is a context for what must come.
func within(t *testing.T) context.Context {
	t.Helper()
	return withinFor(t, patience)
}

func withinFor(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// pass lets time go by in which something could go wrong.
func pass(d time.Duration) {
	<-time.After(d)
}

// settles asks again and again, until the answer is yes or the time is up.
func settles(limit time.Duration, yes func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return yes()
		}
	}
	return true
}
