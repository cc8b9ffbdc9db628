package sip

import (
	gosip "github.com/emiago/sipgo/sip"
)

// reinvite takes an INVITE within the dialog: hold, resume, a new address, another
// law, or a mere question (RFC 3261 §14.2).
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
	res := c.response(t.req, gosip.StatusOK)
	f := c.s.tooShort(t.req)
	if f == nil {
		f = c.reanswer(t.req, res)
	}
	if f != nil {
		c.s.answer(t, f.status, f.headers...)
		return
	}
	c.d.refresh(t.req)
	c.grant(t.req, res)
	c.s.respond(t, res)
	_, c.offering = c.voice.answer()
	c.awaitACK(t, res)
}

// update takes an UPDATE (RFC 3311 §5.2): a target refresh, with an offer or
// without.
func (c *Call) update(t *serverTx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch offer := len(t.req.Body()) > 0; {
	case c.state == closing || c.state == gone:
		c.s.answer(t, gosip.StatusCallTransactionDoesNotExists)
		return
	case offer && c.offering:
		c.s.answer(t, gosip.StatusRequestPending)
		return
	case offer && c.state == ringing && (!c.described || c.progress != nil):
		// Their first offer is still unanswered.
		c.s.answer(t, gosip.StatusInternalServerError, retryAfter(1))
		return
	}
	res := c.response(t.req, gosip.StatusOK)
	f := c.s.tooShort(t.req)
	if f == nil && len(t.req.Body()) > 0 {
		f = c.reanswer(t.req, res)
	}
	if f != nil {
		c.s.answer(t, f.status, f.headers...)
		return
	}
	c.d.refresh(t.req)
	if c.state != ringing {
		c.grant(t.req, res) // RFC 4028 §7.4: only once there is a session
	}
	c.s.respond(t, res)
}

// reanswer takes the offer of a later request, or makes one when it has none, and
// puts our description into res. The fault says why it is refused; the session
// goes on as it was then (RFC 3261 §14.2). Callers hold mu.
func (c *Call) reanswer(req *gosip.Request, res *gosip.Response) *fault {
	if f := content(req); f != nil {
		return f
	}
	if err := c.voice.takeOffer(req); err != nil {
		status, headers := refusal(err)
		return &fault{status: status, headers: headers, what: err.Error()}
	}
	body, _ := c.voice.answer()
	withSDP(res, body)
	return nil
}
