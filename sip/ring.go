package sip

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

// progress is a provisional response that the peer must acknowledge (RFC 3262 §3).
type progress struct {
	res       *gosip.Response
	rseq      uint32
	sent, due time.Time
	schedule  resend
	offers    bool          // it has an offer of ours, and PRACK the answer
	describes bool          // it has a session description
	done      chan struct{} // closed by PRACK
}

// Ring tells the caller that the phone rings: by 180, or with Config.EarlyMedia by
// 183, after which the caller hears a ringing tone of ours. It is repeated until
// it is acknowledged if the caller knows how (100rel, RFC 3262). It does nothing
// once the call is answered, and returns why when the call is over.
func (c *Call) Ring(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state == ringing && c.progress == nil:
		return c.ring()
	case c.state == closing, c.state == gone:
		return c.cause
	}
	return nil
}

// ring sends the provisional response. Callers hold mu.
func (c *Call) ring() error {
	body, offering := c.voice.answer()
	early := c.s.cfg.EarlyMedia
	// A reliable response to an INVITE without an offer must make one (RFC 3261
	// §13.2.1): only who asks for it gets it before the answer.
	reliable := lists(c.req, "Require", "100rel") ||
		lists(c.req, "Supported", "100rel") && (early || !offering)
	describes := early && !offering || reliable && offering
	status := gosip.StatusRinging
	if early && describes {
		status = gosip.StatusSessionInProgress
	}
	res := c.response(c.req, status)
	if describes {
		withSDP(res, body)
	}
	if reliable {
		c.sendReliably(res, describes, offering)
	}
	if err := c.tx.respond(res); err != nil {
		return err
	}
	if describes && !offering {
		c.playEarly()
	}
	return nil
}

// sendReliably makes Run repeat res until PRACK comes. Callers hold mu.
func (c *Call) sendReliably(res *gosip.Response, describes, offers bool) {
	// RFC 3262 §3: the first number is any, and small enough to count on.
	p := &progress{res: res, rseq: rand.Uint32N(1<<31-1) + 1, sent: time.Now(), offers: offers, describes: describes, done: make(chan struct{})}
	res.AppendHeader(header("Require", "100rel"))
	res.AppendHeader(header("RSeq", strconv.FormatUint(uint64(p.rseq), 10)))
	p.due = p.sent.Add(p.schedule.next())
	c.progress = p
	c.offering = offers
	c.described = describes
	c.signal()
}

// repeatProgress sends the provisional response that is due again. It returns
// false when the peer has had its time (RFC 3262 §3).
func (c *Call) repeatProgress(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.progress
	if p == nil || c.state != ringing || now.Before(p.due) {
		return true
	}
	last := p.sent.Add(patience)
	if !now.Before(last) {
		return false
	}
	c.s.respond(c.tx, p.res)
	p.due = p.due.Add(p.schedule.next())
	if p.due.After(last) {
		p.due = last
	}
	return true
}

// playEarly begins the audio before the answer: the ringing tone. Callers hold mu.
func (c *Call) playEarly() {
	if !c.s.cfg.EarlyMedia {
		return
	}
	c.down.ring(newRingback(c.voice.wire()))
	c.voice.startEarly()
}

// awaitPRACK waits until the description in a reliable provisional response is
// acknowledged: no 2xx may overtake it (RFC 3262 §3). Callers hold mu, which is
// free meanwhile.
func (c *Call) awaitPRACK(ctx context.Context) error {
	for c.state == ringing && c.progress != nil && c.progress.describes {
		done := c.progress.done
		c.mu.Unlock()
		var err error
		select {
		case <-done:
		case <-c.over.Done():
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		c.mu.Lock()
		if err != nil {
			return err
		}
	}
	return nil
}
