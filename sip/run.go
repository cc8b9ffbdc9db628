package sip

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// Run carries the call's audio to up and from down until the call ends, and
// returns why: an error that wraps a media.Cause. When ctx ends, it hangs up
// with ctx's cause. It returns when the call's goroutines and sockets are gone.
// It is to be called once, before or at the same time as Answer.
func (c *Call) Run(ctx context.Context, up media.Uplink, down media.Downlink) error {
	defer c.release()
	c.mu.Lock()
	c.running = true
	c.mu.Unlock()
	c.up.attach(up)
	audio, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.voice.run(audio, &c.up, down); err != nil {
			c.hangUpLater(err)
		}
	})
	c.serve(ctx)
	stop()
	running.Wait()
	return c.because()
}

// serve keeps the call's timers until the call is over.
func (c *Call) serve(ctx context.Context) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		var due <-chan time.Time // nil, which never fires, while nothing is pending
		if at, ok := c.nextRepeat(); ok {
			timer.Reset(time.Until(at))
			due = timer.C
		}
		select {
		case <-c.over.Done():
			return
		case <-c.wake:
		case now := <-due:
			if !c.repeat(now) {
				// RFC 3261 §13.3.1.4: the session should end with a BYE.
				c.hangUpNow(ctx, fmt.Errorf("sip: no ACK: %w", media.LegFailed))
			}
		case <-ctx.Done():
			c.hangUpNow(ctx, context.Cause(ctx))
		}
		if reason := c.wanted(); reason != nil {
			c.hangUpNow(ctx, reason)
		}
	}
}

// hangUpNow hangs up from Run, whether or not ctx has ended.
func (c *Call) hangUpNow(ctx context.Context, reason error) {
	if err := c.Hangup(context.WithoutCancel(ctx), reason); err != nil {
		c.log.Debug().Err(err).Msg("hang-up not answered")
	}
	<-c.over.Done()
}

// hangUpLater makes Run hang up: for goroutines that must not wait for it.
func (c *Call) hangUpLater(reason error) {
	c.mu.Lock()
	if c.want == nil {
		c.want = reason
	}
	c.mu.Unlock()
	c.signal()
}

func (c *Call) wanted() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.want
}
