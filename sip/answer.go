package sip

import (
	"context"
	"fmt"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// Answer takes the call: it sends 200 with our session description and starts
// sending audio. It returns when the 200 is on its way; Run repeats it until
// the peer's ACK (RFC 3261 §13.3.1.4). A description that is on its way in a
// provisional response must have been acknowledged before. It returns why when the call is over.
func (c *Call) Answer(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.awaitPRACK(ctx); err != nil {
		return fmt.Errorf("sip: answer: no PRACK: %w: %w", media.LegFailed, err)
	}
	switch c.state {
	case closing, gone:
		return c.cause
	case answered, talking:
		return nil
	}
	body, offering := c.voice.answer()
	res := c.response(c.req, gosip.StatusOK)
	if c.described {
		offering = false // RFC 3261 §13.2.1: the exchange is over
	} else {
		withSDP(res, body)
	}
	c.grant(c.req, res)
	if err := c.tx.respond(res); err != nil {
		return fmt.Errorf("sip: answer: %w: %w", media.LegFailed, err)
	}
	c.state = answered
	c.offering = offering
	c.awaitACK(c.tx, res)
	c.down.ring(nil)
	c.voice.start()
	return nil
}

// awaitACK makes Run repeat res until it is acknowledged. Callers hold mu.
func (c *Call) awaitACK(t *serverTx, res *gosip.Response) {
	now := time.Now()
	a := &accepted{tx: t, res: res, sent: now, schedule: resend{limit: t2}}
	a.due = now.Add(a.schedule.next())
	c.accepted = a
	c.signal()
}

// repeat sends the 2xx that is due again. It returns false when the peer has
// had its time. Reliable transports get it as well: what lies behind the next
// hop may not be one.
func (c *Call) repeat(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.accepted
	if a == nil || now.Before(a.due) {
		return true
	}
	if now.Sub(a.sent) >= patience {
		c.accepted = nil
		return false
	}
	c.s.respond(a.tx, a.res)
	a.due = a.due.Add(a.schedule.next())
	if last := a.sent.Add(patience); a.due.After(last) {
		a.due = last
	}
	return true
}

// acknowledged takes the ACK of a 2xx, with the answer when the 2xx made the
// offer (RFC 3264 §4, RFC 3261 §13.2.1).
func (c *Call) acknowledged(req *gosip.Request) {
	c.mu.Lock()
	a := c.accepted
	if a == nil || cseq(a.tx.req) != cseq(req) {
		c.mu.Unlock()
		return // again, or of another INVITE
	}
	c.accepted = nil
	first := !c.confirmed
	c.confirmed = true
	if c.state == answered {
		c.state = talking
	}
	offering := c.offering
	c.offering = false
	var err error
	if offering {
		err = c.voice.takeAnswer(contentType(req), req.Body())
	}
	c.mu.Unlock()
	if first {
		close(c.settled)
	}
	c.signal()
	if err != nil {
		c.hangUpLater(fmt.Errorf("sip: answer in ACK: %w: %w", media.NotAcceptable, err))
	}
}
