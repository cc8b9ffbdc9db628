package sip

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// referral is a REFER of ours and what NOTIFY tells of it (RFC 3515).
type referral struct {
	after    uint32            // the REFER's CSeq is greater
	accepted bool              // by a 2xx
	rings    bool              // the target does
	final    chan *StatusError // gets the target's final response
	told     bool              // final has it
}

// referRefused says that the peer does not do REFER, or not this one.
type referRefused struct{ error }

func (e *referRefused) Unwrap() error { return e.error }

// refer asks the peer to call target, the value of Refer-To, and waits until it
// has done so, or not.
func (c *Call) refer(ctx context.Context, target string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.over, func() { cancel(context.Cause(c.over)) })()
	r := &referral{final: make(chan *StatusError, 1)}
	if err := c.expect(r); err != nil {
		return err
	}
	defer func() {
		c.mu.Lock()
		c.referral = nil
		c.mu.Unlock()
	}()
	c.mu.Lock()
	us, contact := c.d.from.Address.Clone(), c.d.contact(c.s)
	c.mu.Unlock()
	res, err := c.ask(ctx, gosip.REFER,
		header("Refer-To", target), header("Referred-By", "<"+us.String()+">"), // RFC 3892
		contact, header("Allow", allowed), c.s.supported())
	switch {
	case c.over.Err() != nil:
		return fmt.Errorf("sip: transfer: the call is over: %w", context.Cause(c.over))
	case err != nil:
		return fmt.Errorf("sip: transfer: the far end does not answer: %w", err)
	case !res.IsSuccess():
		return &referRefused{fmt.Errorf("sip: transfer: the far end refuses to transfer calls: %w", refused(res))}
	}
	c.mu.Lock()
	r.accepted = true
	c.mu.Unlock()
	select {
	case final := <-r.final:
		return c.referred(final)
	case <-ctx.Done():
	}
	switch over := context.Cause(c.over); {
	case over == nil:
		return fmt.Errorf("sip: transfer: the far end has not told how it went: %w", context.Cause(ctx))
	case !errors.Is(over, media.Transferred):
		return fmt.Errorf("sip: transfer: the call is over: %w", over)
	}
	return nil
}

// expect makes r the referral whose NOTIFYs are taken: one at a time.
func (c *Call) expect(r *referral) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state != talking && c.state != answered:
		return errNotTalking
	case c.referral != nil:
		return errTransferring
	}
	r.after = c.d.seq
	c.referral = r
	return nil
}

// referred acts on the target's final response: when it has answered, the call is
// over (RFC 5589 §6.1), and it is ours to hang up.
func (c *Call) referred(final *StatusError) error {
	if final.Status >= 300 {
		return outcome(final)
	}
	c.hangUpLater(fmt.Errorf("sip: %w", media.Transferred))
	return nil
}

// left reports whether a BYE of the peer's means that a transfer has come about:
// who was asked to call somebody else and leaves while that is going on. Callers
// hold mu.
func (c *Call) left() bool {
	return c.referral != nil && c.referral.accepted && !c.referral.rings
}

// notify takes a NOTIFY of the subscription that REFER implies (RFC 3515 §2.4.4).
func (c *Call) notify(t *serverTx) {
	c.mu.Lock()
	r := c.referral
	status := c.judgeNotify(t.req, r)
	c.mu.Unlock()
	if status != gosip.StatusOK {
		c.s.answer(t, status)
		return
	}
	c.s.answer(t, gosip.StatusOK)
	told, ok := parseFragment(string(t.req.Body()))
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r.rings = r.rings || told.Status > 100 && told.Status < 200
	if told.Status >= 200 && !r.told {
		r.told = true
		r.final <- told
	}
}

// judgeNotify returns the response to a NOTIFY while r is the referral, nil for
// none. Callers hold mu.
func (c *Call) judgeNotify(req *gosip.Request, r *referral) int {
	events := values(req, "Event")
	if len(events) == 0 {
		return gosip.StatusCallTransactionDoesNotExists
	}
	event, params, _ := strings.Cut(events[0], ";")
	if !strings.EqualFold(strings.TrimSpace(event), "refer") {
		return 489 // RFC 6665 §8.3.2
	}
	if r == nil {
		return gosip.StatusCallTransactionDoesNotExists
	}
	// §2.4.6: the CSeq of the REFER; one that we no longer wait for was before.
	if _, id, ok := strings.Cut(params, "id="); ok {
		id, _, _ = strings.Cut(id, ";")
		if n, err := strconv.ParseUint(strings.TrimSpace(id), 10, 32); err != nil || uint32(n) <= r.after {
			return gosip.StatusCallTransactionDoesNotExists
		}
	}
	return gosip.StatusOK
}

// parseFragment reads the status line of a message/sipfrag body (RFC 3420).
func parseFragment(body string) (*StatusError, bool) {
	line, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
	version, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	code, reason, _ := strings.Cut(strings.TrimSpace(rest), " ")
	status, err := strconv.Atoi(code)
	if !strings.EqualFold(version, "SIP/2.0") || err != nil || status < 100 || status > 699 {
		return nil, false
	}
	return &StatusError{Status: status, Reason: strings.TrimSpace(reason)}, true
}
