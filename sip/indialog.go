package sip

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// handle takes a request within the dialog, in the order in which they came.
func (c *Call) handle(t *serverTx, from link) {
	req := t.req
	if !c.inOrder(req) {
		// RFC 3261 §12.2.2: older than what was already handled.
		c.s.answer(t, gosip.StatusInternalServerError)
		return
	}
	if f := c.s.extensions(req); f != nil {
		c.s.answer(t, f.status, f.headers...)
		return
	}
	if from.reliable() {
		c.reconnected(from)
	}
	switch req.Method {
	case gosip.BYE:
		c.byeReceived(t)
	case gosip.INVITE:
		c.reinvite(t)
	case gosip.UPDATE:
		c.update(t)
	case gosip.INFO:
		c.info(t)
	case gosip.OPTIONS:
		c.s.describe(t, from)
	case gosip.PRACK:
		c.prack(t)
	case gosip.NOTIFY:
		c.notify(t)
	case gosip.REFER:
		c.s.answer(t, c.s.cfg.ReferStatus, header("Allow", allowed))
	default:
		c.s.notAllowed(t)
	}
}

// inOrder checks and notes the CSeq of a request.
func (c *Call) inOrder(req *gosip.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := req.CSeq().SeqNo
	if n <= c.d.remoteSeq && c.d.remoteSeq != 0 {
		return false
	}
	c.d.remoteSeq = n
	return true
}

// reconnected moves the dialog to the connection that the peer now uses.
func (c *Call) reconnected(from link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.d.link.reliable() && !c.d.link.open() {
		c.d.link = from
	}
}

// byeReceived ends the call. A BYE may come before the ACK of our 2xx, or
// before the 2xx itself (§15.1.2): it ends the call all the same.
func (c *Call) byeReceived(t *serverTx) {
	c.s.answer(t, gosip.StatusOK)
	c.mu.Lock()
	unanswered, left := c.state == ringing, c.left()
	c.mu.Unlock()
	if unanswered {
		// §15.1.2: a pending INVITE is answered with 487.
		c.cancelled()
		return
	}
	cause := error(media.CallerHungUp)
	if left {
		cause = media.Transferred
	}
	if reasons := values(t.req, "Reason"); len(reasons) > 0 {
		cause = fmt.Errorf("sip: BYE: %w (%s)", cause, reasons[0])
	}
	c.fail(cause)
}

// cancelled ends a call that is not answered yet. One that is goes on: the
// CANCEL came too late (§9.2).
func (c *Call) cancelled() {
	c.mu.Lock()
	if c.state != ringing {
		c.mu.Unlock()
		return
	}
	c.cause = media.CallerCancelled
	c.state = closing
	c.mu.Unlock()
	if err := c.refuse(media.CallerCancelled, gosip.StatusRequestTerminated); err != nil {
		c.log.Debug().Err(err).Msg("487 not sent")
	}
}

// info takes a key press (the de-facto application/dtmf-relay and
// application/dtmf), and nothing else.
func (c *Call) info(t *serverTx) {
	req := t.req
	if len(req.Body()) == 0 {
		c.s.answer(t, gosip.StatusOK) // RFC 6086 §4.2.2: asks whether we live
		return
	}
	switch mediaType(contentType(req)) {
	case "application/dtmf-relay", "application/dtmf":
		if d, ok := infoDigit(string(req.Body())); ok {
			c.up.Digit(d)
			c.up.Released(d, infoDuration(string(req.Body())))
		} else {
			c.log.Debug().Bytes("body", req.Body()).Msg("INFO without a key")
		}
	default:
		c.s.answer(t, gosip.StatusUnsupportedMediaType, header("Accept", "application/dtmf-relay, application/dtmf"))
		return
	}
	c.s.answer(t, gosip.StatusOK)
}

// infoDuration reads how long the key of an INFO is pressed, in milliseconds; 0: it does
// not say.
func infoDuration(body string) time.Duration {
	for line := range strings.Lines(body) {
		key, value, _ := strings.Cut(line, "=")
		if !strings.EqualFold(strings.TrimSpace(key), "duration") {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 16); err == nil {
			return time.Duration(n) * time.Millisecond
		}
	}
	return 0
}

// infoDigit reads the key of an INFO: the line of a dtmf-relay body that begins with
// Signal, that of a dtmf body which begins with d, or a body that is the key alone.
func infoDigit(body string) (media.Digit, bool) {
	for line := range strings.Lines(body) {
		key, value, named := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		switch {
		case !named && key != "":
			return keyOf(key)
		case strings.EqualFold(key, "signal"), strings.EqualFold(key, "d"):
			return keyOf(strings.TrimSpace(value))
		}
	}
	return 0, false
}

// keyOf reads a key as it is printed on it, or as the number that it has as an event
// (RFC 4733 §3.2): 10 is the star.
func keyOf(text string) (media.Digit, bool) {
	if len(text) == 1 {
		return media.ParseDigit(text[0])
	}
	const keys = "0123456789*#ABCD"
	n, err := strconv.Atoi(text)
	if err != nil || n < 10 || n >= len(keys) {
		return 0, false
	}
	return media.ParseDigit(keys[n])
}
