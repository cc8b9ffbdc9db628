package sip

import (
	"context"
	"errors"
	"fmt"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// errPending says that another offer or INVITE of the dialog is not settled yet
// (RFC 3261 §14.1).
var errPending = errors.New("sip: an INVITE is pending")

// reoffer sends a re-INVITE whose offer is our description as the peer knows it
// (RFC 4028 §7.4: nothing has changed), and returns the final response. The 2xx is
// acknowledged and its answer taken.
func (c *Call) reoffer(ctx context.Context, headers ...gosip.Header) (*gosip.Response, error) {
	c.mu.Lock()
	if c.state != talking || c.offering || c.accepted != nil {
		c.mu.Unlock()
		return nil, errPending
	}
	c.offering = true // until then, offers of the peer get 491
	req := c.d.request(gosip.INVITE, 0)
	next, known, contact := c.d.next(), c.d.link, c.d.contact(c.s)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.offering = false
		c.mu.Unlock()
	}()
	to, err := c.s.way(ctx, next, known)
	if err != nil {
		return nil, err
	}
	req.AppendHeader(contact)
	req.AppendHeader(header("Allow", allowed))
	req.AppendHeader(c.s.supported())
	req.AppendHeader(header("User-Agent", c.s.cfg.UserAgent))
	for _, h := range headers {
		req.AppendHeader(h)
	}
	withSDP(req, c.voice.repeat())
	t, res, err := c.invite(ctx, req, to)
	if err != nil || !res.IsSuccess() {
		return res, err
	}
	c.mu.Lock()
	c.d.refresh(res)
	c.mu.Unlock()
	c.acknowledge(t, nil)
	if err := c.voice.takeAnswer(contentType(res), res.Body()); err != nil {
		err = fmt.Errorf("sip: answer to re-INVITE: %w: %w", media.NotAcceptable, err)
		c.hangUpLater(err)
		return nil, err
	}
	return res, nil
}

// invite sends a re-INVITE, again with credentials when it is challenged, and
// returns the final response with its transaction.
func (c *Call) invite(ctx context.Context, req *gosip.Request, to link) (*clientTx, *gosip.Response, error) {
	met := answers{login: c.login}
	for {
		req.PrependHeader(c.s.via(to))
		t := c.s.begin(req, to)
		res, err := c.s.exchange(ctx, t, nil)
		if err != nil || !challenges(res) {
			return t, res, err
		}
		next := met.again(req, res, c.nextSeq())
		if next == nil {
			return t, res, nil
		}
		req = next
	}
}
