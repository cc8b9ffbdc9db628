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
	c.begin(ctx, up, down)
	c.serve(ctx, false)
	if c.isPassed() {
		defer close(c.handedOver)
		if c.over.Err() == nil {
			return fmt.Errorf("sip: to a second call: %w", media.Transferred)
		}
	}
	return c.finish()
}

// audio is what carries a call while it runs.
type audio struct {
	stop    context.CancelFunc
	running sync.WaitGroup // the RTP session, and requests of the call's own
}

// begin starts the audio between the phone and up and down.
func (c *Call) begin(ctx context.Context, up media.Uplink, down media.Downlink) {
	c.mu.Lock()
	c.running = true
	c.mu.Unlock()
	law := c.Codec()
	c.up.attach(up, law)
	c.down.attach(down, law)
	ctx, c.audio.stop = context.WithCancel(context.WithoutCancel(ctx))
	c.audio.running.Go(func() {
		if err := c.voice.run(ctx, &c.up, &c.down, c.recodes); err != nil {
			c.hangUpLater(err)
		}
	})
}

// finish waits for what begin started and says why the call is over.
func (c *Call) finish() error {
	defer c.release()
	c.audio.stop()
	c.audio.running.Wait()
	return c.because()
}

// serve keeps the call's timers until the call is over. Run's ends as well when the
// call is passed on: the relay's goes on with it.
func (c *Call) serve(ctx context.Context, relay bool) {
	for c.over.Err() == nil && c.isPassed() == relay {
		c.await(ctx, relay)
	}
}

// await waits for the next thing to be done and does it.
func (c *Call) await(ctx context.Context, relay bool) {
	var due <-chan time.Time // nil, which never fires, while nothing is pending
	if at, ok := c.nextDue(); ok {
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-c.over.Done():
	case <-c.wake:
	case now := <-due:
		if err := c.onTime(now); err != nil {
			c.hangUpNow(ctx, err)
		}
	case <-ctx.Done():
		if c.isPassed() == relay {
			c.hangUpNow(ctx, context.Cause(ctx))
		}
	}
	c.tellRecoded()
	if reason := c.wanted(); reason != nil {
		c.hangUpNow(ctx, reason)
	}
}

// onTime does what is due. The error is why the call has to end.
func (c *Call) onTime(now time.Time) error {
	if !c.repeat(now) {
		// RFC 3261 §13.3.1.4: the session should end with a BYE.
		return fmt.Errorf("sip: no ACK: %w", media.LegFailed)
	}
	if !c.repeatProgress(now) {
		return fmt.Errorf("sip: no PRACK: %w", media.LegFailed) // RFC 3262 §3: 5xx
	}
	return c.keepAlive(now)
}

// nextDue returns when something is due, if anything is.
func (c *Call) nextDue() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var next time.Time
	sooner := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if c.accepted != nil {
		sooner(c.accepted.due)
	}
	if c.progress != nil && c.state == ringing {
		sooner(c.progress.due)
	}
	if c.timer.interval > 0 {
		sooner(c.timer.next())
	}
	return next, !next.IsZero()
}

// hangUpNow hangs up from Run, whether or not ctx has ended.
func (c *Call) hangUpNow(ctx context.Context, reason error) {
	if err := c.hangUp(context.WithoutCancel(ctx), reason); err != nil {
		c.log.Debug().Err(err).Msg("hang-up not answered")
	}
	<-c.over.Done()
}

// hangUpLater makes Run hang up: for goroutines that must not wait for it.
func (c *Call) hangUpLater(reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave(reason)
}

// leave is hangUpLater for those who hold mu.
func (c *Call) leave(reason error) {
	if c.want == nil {
		c.want = reason
	}
	c.signal()
}

func (c *Call) wanted() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.want
}
