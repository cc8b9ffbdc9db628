package bridge

import (
	"fmt"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// checkLimits ends a call that has lasted too long, or in which nobody speaks.
func (c *Call) checkLimits(now time.Time) {
	if c.answeredAt.IsZero() {
		return
	}
	limits := c.cfg.Agent.Limits
	if d := limits.Duration; d > 0 && now.Sub(c.answeredAt) >= d {
		if c.farewell.cause == nil {
			c.sayGoodbye(fmt.Errorf("bridge: %w: %v", media.DurationLimit, d))
		}
		return
	}
	if c.queue.State().Sounding() || c.uplink.held.Load() || c.transferring.Load() {
		c.lastActivity = now
	}
	if d := limits.Silence; d > 0 && now.Sub(c.lastActivity) >= d {
		c.End(fmt.Errorf("bridge: %w: %v", media.SilenceLimit, d))
	}
}
