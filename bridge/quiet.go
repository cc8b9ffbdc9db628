package bridge

import (
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// whenQuiet runs f, on the call's own goroutine, when the caller has heard all
// there is and no response is being made: now, or later. What must not cut the
// agent off waits for this, never for response.done.
func (c *Call) whenQuiet(f func()) {
	c.quiet = append(c.quiet, f)
	c.checkQuiet()
}

// checkQuiet runs what waits for quiet, if it is.
func (c *Call) checkQuiet() {
	if s := c.queue.State(); s.Sounding() || s.Generating {
		return
	}
	waiting := c.quiet
	c.quiet = nil
	for _, f := range waiting {
		f()
	}
}

// willHear tells the session how much of an item reaches the caller even if the
// session is lost now: what was received plays on.
func (c *Call) willHear(itemID string) (heard, received time.Duration, ok bool) {
	_, n, ok := c.queue.Progress(itemID)
	d := media.Duration(n)
	return d, d, ok
}
