package bridge

import "testing"

// FlushMeters feeds the counters of the frame path, as each second does, and
// returns when that is done.
func (c *Call) FlushMeters(t *testing.T) {
	t.Helper()
	done := make(chan struct{})
	c.post(func() {
		c.meters.flush(c)
		close(done)
	})
	<-done
}
