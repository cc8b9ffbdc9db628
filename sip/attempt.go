package sip

import (
	"context"
	"fmt"
	"sync"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// attempt is an INVITE of ours on its way to a final response. It outlives Dial
// when it must be cancelled.
type attempt struct {
	s      *Server
	out    Dial
	trunk  *trunk
	login  Credentials // answers challenges of whom is called now
	others []target    // servers that are left to be tried
	voice  *voice
	result chan *Call // gets the answered call
	failed chan error

	ctx  context.Context // of the INVITE, longer than Dial's
	stop context.CancelFunc

	id        dialogID  // what all its INVITEs have in common: our side
	redirects int       // that were followed
	described []byte    // the latest description before the answer
	heard     *audition // before the answer, or nil

	mu        sync.Mutex
	tx        *clientTx         // the latest
	ringing   chan struct{}     // closed at its first provisional response
	rings     bool              // it is closed
	early     map[string]*early // by the peer's tag
	dismissed map[string]bool   // tags of answers that were not wanted
	gaveUp    error
}

// run waits for the final response and acts on it.
func (a *attempt) run() {
	defer a.stop()
	res, err := a.try()
	a.hush()
	a.s.attempts.remove(a)
	switch {
	case err != nil:
		a.lost(fmt.Errorf("sip: dial: %w: %w", noAnswer(err), err))
	case !res.IsSuccess():
		refusal := refused(res)
		a.lost(fmt.Errorf("sip: dial: %w: %w", refusal.Cause(), refusal))
	default:
		a.answered(res)
	}
}

// lost gives up what the attempt holds, and then says why: who is told may try again
// at once.
func (a *attempt) lost(why error) {
	a.voice.close()
	a.trunk.leave(a)
	a.failed <- why
}

// impatience is how long one of several servers may take to say anything at all.
const impatience = 4 * time.Second

// try sends the INVITE until there is a final response worth taking: with
// credentials where it is challenged (RFC 3261 §22), to the next server where one is
// unavailable (RFC 3263 §4.3).
func (a *attempt) try() (*gosip.Response, error) {
	met := answers{login: a.login}
	for {
		if len(a.others) > 0 {
			a.tx.limit = impatience
		}
		res, err := a.s.exchange(a.ctx, a.tx, a.progress)
		if a.ctx.Err() != nil || a.abandoned() {
			return res, err
		}
		req, to := a.tx.req, a.tx.to
		switch {
		case err == nil && challenges(res):
			if req = met.again(req, res, req.CSeq().SeqNo+1); req == nil {
				return res, err
			}
		case len(a.others) > 0 && unavailable(res, err):
			a.s.shunned.add(to.remote, time.Now())
			next, others, failed := a.s.reachOne(a.ctx, a.others)
			a.others = others
			if failed != nil {
				return res, err
			}
			to, req = next, elsewhere(req, a.s.contactFor(next, req.Recipient.IsEncrypted()))
		case err == nil && res.StatusCode == intervalTooSmall:
			if req = a.longer(req, res); req == nil {
				return res, err
			}
		case err == nil && res.StatusCode/100 == 3 && a.redirects < a.out.Redirects:
			var followed bool
			if req, to, followed = a.follow(req, res); !followed {
				return res, err
			}
			a.login = a.trunk.loginFor(req.Recipient)
			met = answers{login: a.login}
		default:
			return res, err
		}
		req.PrependHeader(a.s.via(to))
		if !a.begin(req, to) {
			return res, err
		}
	}
}

// begin makes req, sent to to, the attempt's INVITE. It returns false when the
// attempt was given up: what it has sent until then is cancelled.
func (a *attempt) begin(req *gosip.Request, to link) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gaveUp != nil {
		return false
	}
	a.tx = a.s.begin(req, to)
	a.ringing, a.rings = make(chan struct{}), false
	a.early = make(map[string]*early)
	return true
}

// elsewhere returns req for another server, without Via.
func elsewhere(req *gosip.Request, contact *gosip.ContactHeader) *gosip.Request {
	next := req.Clone()
	next.RemoveHeader("Via")
	next.ReplaceHeader(contact)
	return next
}

// answered takes the 2xx: it is acknowledged whatever becomes of the call.
func (a *attempt) answered(res *gosip.Response) {
	d, described := a.established(res)
	c := newCall(a.s, a.trunk, a.tx.req, d, a.voice)
	c.login = a.login
	c.state, c.updates = talking, lists(res, "Allow", "UPDATE")
	c.granted(res)
	c.confirmed = true
	close(c.settled)
	a.trunk.pass(a, c)
	a.s.calls.add(c)
	c.acknowledge(a.tx, func(res *gosip.Response) {
		// Another branch of a forked INVITE: one answer is enough.
		a.s.errands.Start(func() { a.dismiss(res) })
	})
	var err error
	if len(res.Body()) > 0 || !described {
		err = a.voice.takeAnswer(contentType(res), res.Body())
	}
	if err != nil {
		err = fmt.Errorf("sip: dial: %w: %w", media.NotAcceptable, err)
	}
	a.voice.drain()
	a.mu.Lock()
	if err == nil {
		err = a.gaveUp
	}
	if err == nil {
		a.voice.fix()
		a.voice.start()
		a.result <- c
	}
	a.mu.Unlock()
	if err == nil {
		return
	}
	a.failed <- err
	_ = c.Hangup(a.s.life, err) // the call is over, answered or not
}

// dismiss acknowledges a second answer, and ends its dialog once.
func (a *attempt) dismiss(res *gosip.Response) {
	tag := toTag(res)
	a.mu.Lock()
	again := a.dismissed[tag]
	if a.dismissed == nil {
		a.dismissed = make(map[string]bool)
	}
	a.dismissed[tag] = true
	d, _ := a.dialogOf(res)
	a.mu.Unlock()
	to, err := a.s.way(a.s.life, d.next(), a.tx.to)
	if err != nil {
		return
	}
	ack := d.request(gosip.ACK, a.tx.req.CSeq().SeqNo)
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		gosip.CopyHeaders(name, a.tx.req, ack)
	}
	ack.PrependHeader(a.s.via(to))
	_ = to.write(ack) // lost: the answer comes again
	if !again {
		_, _, _ = a.s.converse(a.s.life, inquiry{req: d.request(gosip.BYE, 0), to: to, login: a.login})
	}
}

func (a *attempt) abandoned() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.gaveUp != nil
}

// giveUp cancels the attempt and returns why. If the call has been answered
// meanwhile, it is hung up.
func (a *attempt) giveUp(cause error) error {
	a.mu.Lock()
	a.gaveUp = fmt.Errorf("sip: dial: %w", cause)
	err := a.gaveUp
	a.mu.Unlock()
	select {
	case c := <-a.result:
		_ = c.Hangup(context.Background(), err) // the call is over, answered or not
		return err
	default:
	}
	a.s.errands.Start(a.cancel)
	return err
}

// cancel sends CANCEL, after the first provisional response: before it, the
// peer might see the CANCEL first (RFC 3261 §9.1).
func (a *attempt) cancel() {
	a.mu.Lock()
	tx, ringing := a.tx, a.ringing
	a.mu.Unlock()
	select {
	case <-ringing:
	case <-a.ctx.Done():
		return // it has its final response, or never will
	}
	invite := tx.req
	req := gosip.NewRequest(gosip.CANCEL, *invite.Recipient.Clone())
	req.AppendHeader(invite.Via().Clone()) // §9.1: the INVITE's branch
	gosip.CopyHeaders("Route", invite, req)
	maxForwards(req)
	for _, name := range []string{"From", "To", "Call-ID"} {
		gosip.CopyHeaders(name, invite, req)
	}
	req.AppendHeader(&gosip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: gosip.CANCEL})
	req.SetBody(nil)
	_, _ = a.s.exchange(a.ctx, a.s.begin(req, tx.to), nil)
	// §9.1: a peer that sends no final response has cancelled after 64*T1.
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-a.ctx.Done():
	case <-timer.C:
		a.stop()
	}
}
