package sip

import (
	"context"
	"errors"
	"fmt"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// Hangup ends the call for the reason that cause is or wraps: before the answer
// with the final response that media.Cause.SIPStatus gives, or SIPStatus of
// cause itself when it has that method; after it with BYE, whose answer it
// waits for within ctx, for Config.HangupTimeout at most. It is idempotent: the first
// reason counts, and a second call waits for the first. It returns an error when the
// peer did not answer; the call is over all the same. It does nothing to a call that
// Transfer has passed on.
func (c *Call) Hangup(ctx context.Context, cause error) error {
	if c.isPassed() {
		return nil
	}
	return c.hangUp(ctx, cause)
}

func (c *Call) hangUp(ctx context.Context, cause error) error {
	if cause == nil {
		cause = media.CauseOf(nil)
	}
	c.mu.Lock()
	was := c.state
	if was == closing || was == gone {
		c.mu.Unlock()
		select {
		case <-c.over.Done():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	c.cause = cause
	c.state = closing
	unsettled := c.accepted != nil && !c.confirmed
	c.mu.Unlock()
	if was == ringing {
		return c.refuse(cause, statusOf(cause))
	}
	defer c.fail(cause)
	ctx, cancel := context.WithTimeout(ctx, c.s.cfg.HangupTimeout)
	defer cancel()
	if unsettled {
		c.awaitSettled(ctx)
	}
	return c.bye(ctx, cause)
}

// statusOf returns the final response for cause.
func statusOf(cause error) int {
	var own interface{ SIPStatus() int }
	if errors.As(cause, &own) {
		if status := own.SIPStatus(); status >= 300 && status < 700 {
			return status
		}
	}
	return media.CauseOf(cause).SIPStatus()
}

// refuse ends an unanswered call with a failure response.
func (c *Call) refuse(cause error, status int) error {
	var headers []gosip.Header
	if status == gosip.StatusServiceUnavailable {
		headers = append(headers, c.s.retryAfter())
	}
	res := c.s.reply(c.req, status, c.local, headers...)
	if own := media.RejectionOf(cause); own.Status == status && own.Phrase != "" {
		res.Reason = own.Phrase
	}
	var elsewhere media.Redirection
	if errors.As(cause, &elsewhere) && status == gosip.StatusMovedTemporarily {
		uri, err := c.callee(elsewhere.To)
		if err != nil {
			c.log.Warn().Err(err).Msg("the target of a redirection cannot be called")
			res.StatusCode, res.Reason = media.Rejected.SIPStatus(), reasons[media.Rejected.SIPStatus()]
		} else {
			res.AppendHeader(header("Contact", "<"+uri.String()+">"))
		}
	}
	res.AppendHeader(reasonOf(cause))
	err := c.tx.respond(res)
	c.fail(cause)
	if err != nil {
		return fmt.Errorf("sip: refuse: %w", err)
	}
	return nil
}

// awaitSettled waits for the ACK of our 2xx: RFC 3261 §15 forbids the callee's
// BYE before it. A lost ACK must not hold the line for 32 s, though, so the
// wait is short and the BYE goes out all the same.
func (c *Call) awaitSettled(ctx context.Context) {
	wait := t1
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline)/2)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-c.settled:
	case <-c.over.Done():
	case <-timer.C:
	case <-ctx.Done():
	}
}

// bye sends BYE and waits for its answer within ctx. The request goes on being
// repeated after that, as long as the server lives.
func (c *Call) bye(ctx context.Context, cause error) error {
	answer := make(chan error, 1)
	if !c.s.errands.Start(func() {
		_, err := c.ask(c.s.life, gosip.BYE, reasonOf(cause))
		answer <- err
	}) {
		return errShut
	}
	select {
	case err := <-answer:
		return err // a refusal, 481 too, ends the dialog as well as 200 does
	case <-c.over.Done():
		return nil // their BYE crossed ours
	case <-ctx.Done():
		return fmt.Errorf("sip: BYE: %w", context.Cause(ctx))
	}
}

// ask sends a request within the dialog and returns the final response.
func (c *Call) ask(ctx context.Context, method gosip.RequestMethod, headers ...gosip.Header) (*gosip.Response, error) {
	c.mu.Lock()
	req := c.d.request(method, 0)
	next, known := c.d.next(), c.d.link
	c.mu.Unlock()
	for _, h := range headers {
		req.AppendHeader(h)
	}
	to, err := c.s.way(ctx, next, known)
	if err != nil {
		return nil, err
	}
	req.AppendHeader(header("User-Agent", c.s.cfg.UserAgent))
	res, _, err := c.s.converse(ctx, inquiry{req: req, to: to, login: c.login, seq: c.nextSeq})
	return res, err
}

// nextSeq returns the CSeq of another request within the dialog.
func (c *Call) nextSeq() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.d.seq++
	return c.d.seq
}

// reasonOf returns the Reason header that tells the peer why (RFC 3326 §2).
func reasonOf(cause error) gosip.Header {
	m := media.CauseOf(cause)
	return header("Reason", fmt.Sprintf("Q.850;cause=%d;text=%q", m.Q850(), m))
}
