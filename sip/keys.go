package sip

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/rtp"
)

const (
	// keyPause is what a comma stands for.
	keyPause = 500 * time.Millisecond
	// keyTime is how long a key and the silence behind it take.
	keyTime = rtp.DefaultPress + 100*time.Millisecond
)

// SendDigits presses keys at the far end as telephone-events (RFC 4733): 0 to 9,
// *, #, A to D, and a comma for a pause of half a second. It returns when they are
// sent. The error wraps [errors.ErrUnsupported] when the peer takes none.
func (c *Call) SendDigits(ctx context.Context, digits string) error {
	var due time.Duration // what is queued takes so long
	for i := range len(digits) {
		if digits[i] == ',' {
			if err := c.wait(ctx, due+keyPause); err != nil {
				return err
			}
			due = 0
			continue
		}
		d, ok := media.ParseDigit(digits[i])
		if !ok {
			return fmt.Errorf("sip: %q is no key", digits[i])
		}
		switch err := c.SendDigit(d, 0); {
		case errors.Is(err, rtp.ErrNoEvents):
			return fmt.Errorf("sip: keys: %w: %w", err, errors.ErrUnsupported)
		case err != nil:
			return fmt.Errorf("sip: keys: %w", err)
		}
		due += keyTime
	}
	return c.wait(ctx, due)
}

// wait waits, or returns why ctx or the call has ended.
func (c *Call) wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.over.Done():
		return context.Cause(c.over)
	}
}
