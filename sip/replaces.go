package sip

import (
	"strings"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// parseReplaces reads a Replaces header (RFC 3891 §6.1): a dialog as we see it.
func parseReplaces(value string) (id dialogID, earlyOnly, ok bool) {
	parts := strings.Split(value, ";")
	id.callID = strings.TrimSpace(parts[0])
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "to-tag":
			id.local = strings.TrimSpace(value)
		case "from-tag":
			id.remote = strings.TrimSpace(value)
		case "early-only":
			earlyOnly = true
		}
	}
	return id, earlyOnly, id.callID != "" && id.local != "" && id.remote != ""
}

// replace takes an INVITE that is to take the place of a call (RFC 3891 §3): a PBX
// hands its caller over to somebody else so. Only the call's own trunk may.
func (s *Server) replace(t *serverTx, from link, trunk *trunk, which []string) {
	id, earlyOnly, ok := parseReplaces(which[0])
	if len(which) > 1 || !ok {
		s.answer(t, gosip.StatusBadRequest)
		return
	}
	c := s.calls.with(id)
	switch {
	case c == nil:
		s.answer(t, gosip.StatusCallTransactionDoesNotExists)
	case c.Trunk() != trunk.Name: // whatever has changed of it
		s.answer(t, gosip.StatusForbidden)
	default:
		c.replaced(t, from, earlyOnly)
	}
}

// replaced moves the call to the dialog that the INVITE opens: who serves it notices
// nothing but that another speaks.
func (c *Call) replaced(t *serverTx, from link, earlyOnly bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	status := 0
	switch {
	case c.state == closing || c.state == gone:
		status = gosip.StatusGlobalDecline
	case c.state == ringing:
		status = gosip.StatusCallTransactionDoesNotExists // §3: not an early dialog that the peer began
	case earlyOnly:
		status = gosip.StatusBusyHere
	case c.accepted != nil || c.offering:
		c.s.answer(t, gosip.StatusInternalServerError, retryAfter(1))
		return
	}
	if status != 0 {
		c.s.answer(t, status)
		return
	}
	d := uasDialog(t.req, from, newTag())
	res := c.s.reply(t.req, gosip.StatusOK, d.id.local, d.contact(c.s), header("Allow", allowed), c.s.supported())
	if f := c.reanswer(t.req, res); f != nil {
		c.s.answer(t, f.status, f.headers...)
		return
	}
	old := c.d
	c.s.calls.move(c, d.id)
	c.d, c.tx = d, t
	c.updates, c.timer, c.minSE = lists(t.req, "Allow", "UPDATE"), sessionTimer{}, 0
	c.grant(t.req, res)
	c.s.respond(t, res)
	_, c.offering = c.voice.answer()
	c.awaitACK(t, res)
	c.s.errands.Start(func() { c.quit(old) })
}

// quit ends a dialog that the call has left.
func (c *Call) quit(d dialog) {
	to, err := c.s.way(c.s.life, d.next(), d.link)
	if err == nil {
		req := d.request(gosip.BYE, 0)
		req.AppendHeader(reasonOf(media.Transferred))
		_, _, err = c.s.converse(c.s.life, inquiry{req: req, to: to, login: c.login})
	}
	if err != nil {
		c.log.Debug().Err(err).Msg("the dialog that was replaced is left open")
	}
}
