package sip

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// keepAlive refreshes the session when that is due and up to this side. The error
// says that the session has not been refreshed in time.
func (c *Call) keepAlive(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &c.timer
	switch {
	case t.interval == 0 || now.Before(t.next()):
	case !now.Before(t.ends()):
		// RFC 4028 §10: BYE before the session expires.
		return fmt.Errorf("sip: the session was not refreshed within %v: %w", t.interval, media.LegFailed)
	default:
		t.due = t.ends() // one refresh at a time
		c.audio.running.Go(c.refresh)
	}
	return nil
}

// refresh refreshes the session (RFC 4028 §7.4), and tries again while there is
// time and the peer has not said that the dialog is gone.
func (c *Call) refresh() {
	err := c.renew(c.over)
	var no *StatusError
	switch {
	case err == nil || c.over.Err() != nil:
		return
	case errors.Is(err, ErrNoAnswer), errors.As(err, &no) && goneBy(no.Status):
		c.hangUpLater(fmt.Errorf("sip: refresh: %w: %w", media.LegFailed, err))
		return
	}
	c.log.Debug().Err(err).Msg("session not refreshed yet")
	c.mu.Lock()
	c.timer.due = time.Now().Add(min(c.timer.interval/10, 10*time.Second))
	c.mu.Unlock()
	c.signal()
}

// goneBy reports whether a response says that the peer has no such dialog any more
// (RFC 4028 §10, RFC 3261 §12.2.1.2).
func goneBy(status int) bool {
	return status == gosip.StatusRequestTimeout || status == gosip.StatusCallTransactionDoesNotExists
}

// renew sends one refresh: UPDATE when the peer takes it, else a re-INVITE. What
// the peer wants otherwise it gets at once: another method, a longer interval,
// another attempt after glare.
func (c *Call) renew(ctx context.Context) error {
	for {
		res, err := c.refreshOnce(ctx)
		if err != nil {
			return err
		}
		c.mu.Lock()
		switch least, ok := expiresOf(res, "Min-SE"); {
		case res.IsSuccess():
			c.granted(res)
			c.mu.Unlock()
			return nil
		case res.StatusCode == intervalTooSmall && ok && least.interval > c.timer.interval:
			c.minSE = least.interval // §7.4
			c.timer.interval = least.interval
		case res.StatusCode == gosip.StatusRequestPending:
			wait := c.glare()
			c.mu.Unlock()
			if err := sleep(ctx, wait); err != nil {
				return err
			}
			continue
		case c.updates && !goneBy(res.StatusCode) && !challenges(res):
			// Whatever is wrong with it: every peer knows re-INVITE (RFC 3311 §4).
			c.updates = false
		default:
			c.mu.Unlock()
			return refused(res)
		}
		c.mu.Unlock()
	}
}

func (c *Call) refreshOnce(ctx context.Context) (*gosip.Response, error) {
	c.mu.Lock()
	update, headers, contact := c.updates, c.s.wish(c.timer, c.minSE), c.d.contact(c.s)
	c.mu.Unlock()
	if !update {
		return c.reoffer(ctx, headers...)
	}
	headers = append(headers, contact, header("Allow", allowed), c.s.supported())
	res, err := c.ask(ctx, gosip.UPDATE, headers...)
	if err == nil && res.IsSuccess() {
		c.mu.Lock()
		c.d.refresh(res)
		c.mu.Unlock()
	}
	return res, err
}

// glare is how long to wait after 491 (RFC 3261 §14.1): longer for the side that
// chose the Call-ID, so that the two do not meet again.
func (c *Call) glare() time.Duration {
	const unit = 10 * time.Millisecond
	if c.tx == nil {
		return 2100*time.Millisecond + unit*time.Duration(rand.IntN(191))
	}
	return unit * time.Duration(rand.IntN(201))
}

// sleep waits, or returns why ctx has ended.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
