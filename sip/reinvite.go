package sip

import (
	gosip "github.com/emiago/sipgo/sip"
)

// reinvite takes an INVITE within the dialog: hold, resume, a new address, or a
// mere question (RFC 3261 §14.2). The codec stays what it was.
func (c *Call) reinvite(t *serverTx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state == closing || c.state == gone:
		c.s.answer(t, gosip.StatusCallTransactionDoesNotExists)
		return
	case c.state == ringing:
		// §14.2: the first INVITE is still without an answer.
		c.s.answer(t, gosip.StatusInternalServerError, retryAfter(1))
		return
	case c.offering:
		// An offer of ours waits for its answer: glare (§14.2, RFC 3264 §4).
		c.s.answer(t, gosip.StatusRequestPending)
		return
	}
	if f := firstFault(content(t.req), c.s.tooShort(t.req)); f != nil {
		c.s.answer(t, f.status, f.headers...)
		return
	}
	if err := c.voice.takeOffer(t.req); err != nil {
		// §14.2: the session goes on as it was.
		status, headers := refusal(err)
		c.s.answer(t, status, headers...)
		return
	}
	c.d.refresh(t.req)
	body, offering := c.voice.answer()
	res := c.response(t.req, gosip.StatusOK)
	withSDP(res, body)
	c.grant(t.req, res)
	c.s.respond(t, res)
	c.offering = offering
	c.awaitACK(t, res)
}

// update takes an UPDATE (RFC 3311 §5.2): a target refresh, with an offer or
// without.
func (c *Call) update(t *serverTx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state == closing || c.state == gone:
		c.s.answer(t, gosip.StatusCallTransactionDoesNotExists)
		return
	case len(t.req.Body()) == 0:
		if f := c.s.tooShort(t.req); f != nil {
			c.s.answer(t, f.status, f.headers...)
			return
		}
		c.d.refresh(t.req)
		res := c.response(t.req, gosip.StatusOK)
		c.grant(t.req, res)
		c.s.respond(t, res)
		return
	case c.offering:
		c.s.answer(t, gosip.StatusRequestPending)
		return
	case c.state == ringing:
		// Their first offer is still unanswered.
		c.s.answer(t, gosip.StatusInternalServerError, retryAfter(1))
		return
	}
	if f := firstFault(content(t.req), c.s.tooShort(t.req)); f != nil {
		c.s.answer(t, f.status, f.headers...)
		return
	}
	if err := c.voice.takeOffer(t.req); err != nil {
		status, headers := refusal(err)
		c.s.answer(t, status, headers...)
		return
	}
	c.d.refresh(t.req)
	body, _ := c.voice.answer()
	res := c.response(t.req, gosip.StatusOK)
	withSDP(res, body)
	c.grant(t.req, res)
	c.s.respond(t, res)
}
