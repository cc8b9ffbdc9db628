package load_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/phone"
)

// outcome is what became of one call of a storm.
type outcome struct {
	setUp time.Duration // from dialling to the answer
	heard time.Duration // from dialling to the first sound of the greeting
	err   error         // why the call is lost
}

// storm places o.Calls calls at o.Rate per second, each of which talks for o.Lasts,
// and returns when all are over.
func storm(dial dialer, o order) (r report) {
	outcomes := make(chan outcome, o.Calls)
	tick := time.NewTicker(time.Second / time.Duration(o.Rate))
	defer tick.Stop()
	var running sync.WaitGroup
	for n := range o.Calls {
		<-tick.C
		running.Go(func() { outcomes <- visit(dial, n, o.Lasts) })
	}
	running.Wait()
	close(outcomes)
	var lost error
	for c := range outcomes {
		if c.err != nil {
			lost = errors.Join(lost, c.err)
			continue
		}
		r.Lasted++
		r.SetUp, r.Heard = append(r.SetUp, c.setUp), append(r.Heard, c.heard)
	}
	r.Error = text(lost)
	return r
}

// visit is one call of a storm. It is lost if it is refused, ends by itself, or
// hears nothing.
func visit(dial dialer, n int, lasts time.Duration) (c outcome) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	began := time.Now()
	l, err := dial(ctx, n)
	if err != nil {
		return outcome{err: fmt.Errorf("call %d: %w", n, err)}
	}
	c.setUp = time.Since(began)
	p := phone.New(phone.Config{Limit: time.Second})
	alive, end := context.WithTimeout(ctx, lasts)
	defer end()
	var talking sync.WaitGroup
	talking.Go(func() {
		if p.AwaitSpeech(alive, 0) == nil {
			c.heard = time.Since(began)
			talk(alive, p, n)
		}
	})
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = l.Run(context.WithoutCancel(ctx), p, p) // that it ended too early is an outcome of its own
	}()
	select {
	case <-over:
		c.err = fmt.Errorf("call %d: over after %v", n, time.Since(began))
	case <-alive.Done():
	}
	end()
	hanging, cancelHanging := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancelHanging()
	_ = l.Hangup(hanging, media.CallerHungUp)
	<-over
	talking.Wait()
	if c.err == nil && c.heard == 0 {
		c.err = fmt.Errorf("call %d: heard nothing", n)
	}
	return c
}
