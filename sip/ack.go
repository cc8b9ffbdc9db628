package sip

import (
	gosip "github.com/emiago/sipgo/sip"
)

// acknowledge sends the ACK of the 2xx to an INVITE of ours, now and whenever
// the 2xx comes again (RFC 3261 §13.2.2.4). other takes the 2xx of other dialogs,
// which a forked INVITE can have; it may be nil.
func (c *Call) acknowledge(t *clientTx, other func(*gosip.Response)) {
	c.mu.Lock()
	ack := c.d.request(gosip.ACK, t.req.CSeq().SeqNo)
	next, known := c.d.next(), c.d.link
	remote := c.d.id.remote
	c.mu.Unlock()
	to, err := c.s.way(c.s.life, next, known)
	if err != nil {
		c.log.Debug().Err(err).Msg("ACK not sent")
		return
	}
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		gosip.CopyHeaders(name, t.req, ack) // RFC 3261 §22.1: an ACK cannot be challenged
	}
	ack.PrependHeader(c.s.via(to))
	send := func() {
		if err := to.write(ack); err != nil {
			c.log.Debug().Err(err).Msg("ACK not sent")
		}
	}
	t.onAgain(func(res *gosip.Response) {
		switch {
		case !res.IsSuccess():
		case toTag(res) == remote:
			send()
		case other != nil:
			other(res)
		}
	})
	send()
}
