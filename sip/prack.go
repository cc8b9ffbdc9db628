package sip

import (
	"fmt"
	"strconv"
	"strings"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// rack is what a PRACK acknowledges (RFC 3262 §7.2).
type rack struct {
	rseq, cseq uint32
	method     string
}

func parseRAck(value string) (rack, bool) {
	fields := strings.Fields(value)
	if len(fields) != 3 {
		return rack{}, false
	}
	rseq, err := strconv.ParseUint(fields[0], 10, 32)
	if err != nil {
		return rack{}, false
	}
	n, err := strconv.ParseUint(fields[1], 10, 32)
	return rack{uint32(rseq), uint32(n), fields[2]}, err == nil
}

// prack takes a PRACK (RFC 3262 §3): the answer to the offer that the provisional
// response made, or another offer once the first is answered (§5).
func (c *Call) prack(t *serverTx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.progress
	if p == nil || !c.acknowledges(t.req, p) {
		c.s.answer(t, gosip.StatusCallTransactionDoesNotExists)
		return
	}
	c.progress = nil
	defer close(p.done)
	defer c.signal()
	res := c.response(t.req, gosip.StatusOK)
	switch {
	case p.offers:
		c.offering = false
		if err := c.voice.takeAnswer(contentType(t.req), t.req.Body()); err != nil {
			status, headers := refusal(err)
			c.s.answer(t, status, headers...)
			c.leave(fmt.Errorf("sip: answer in PRACK: %w: %w", media.NotAcceptable, err))
			return
		}
		if c.state == ringing {
			c.playEarly()
		}
	case len(t.req.Body()) > 0:
		if f := c.reanswer(t.req, res); f != nil {
			c.s.answer(t, f.status, f.headers...)
			return
		}
	}
	c.s.respond(t, res)
}

func (c *Call) acknowledges(req *gosip.Request, p *progress) bool {
	for _, value := range values(req, "RAck") {
		r, ok := parseRAck(value)
		return ok && r.rseq == p.rseq && r.cseq == c.req.CSeq().SeqNo && r.method == string(gosip.INVITE)
	}
	return false
}
