package bridge

import (
	"context"
	"net"
	"testing"

	"github.com/callgw/callgw/bridge/playout"
)

// Reach makes a connection as the call's session does.
func (c *Call) Reach(ctx context.Context, network, address string) (net.Conn, error) {
	return c.sockets.reach(ctx, network, address)
}

// Ledger returns the positions of the call's playout.
func (c *Call) Ledger() playout.State { return c.queue.State() }

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
