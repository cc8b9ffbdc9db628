package sip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// bridgeTo calls the target and, when it has answered, joins it with the caller.
func (c *Call) bridgeTo(ctx context.Context, target gosip.Uri) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.over, func() { cancel(context.Cause(c.over)) })()
	if err := c.claim(); err != nil {
		return err
	}
	far, err := c.consult(ctx, target)
	if err == nil {
		err = c.join(ctx, far)
	}
	if err != nil {
		c.mu.Lock()
		c.moving = false
		c.mu.Unlock()
	}
	return err
}

// consult calls the target; the caller hears ringing meanwhile.
func (c *Call) consult(ctx context.Context, target gosip.Uri) (*Call, error) {
	law := c.voice.wire()
	far, err := c.s.dialOver(ctx, c.trunk, Dial{
		To: target.String(), From: cmp.Or(c.trunk.CallerID, c.From()), Asserted: c.trunk.CallerID,
		Headers: c.diverted(target),
		Codecs:  first(law, c.trunk.Codecs), // so that nothing has to be converted, if it can be had
		Fixed:   true,
		OnState: func(status int) {
			if status > 100 {
				c.down.ring(newRingback(law))
			}
		},
	})
	c.down.ring(nil)
	var res *StatusError
	switch {
	case err == nil:
		return far, nil
	case errors.As(err, &res):
		return nil, outcome(res)
	case errors.Is(err, errTransferTime):
		return nil, fmt.Errorf("sip: transfer: the target does not answer: %w", err)
	}
	return nil, fmt.Errorf("sip: transfer: the target could not be called: %w", err)
}

// diverted tells the target's side that the caller was on the way to somebody else
// (RFC 5806): carriers that screen numbers want to know by which of theirs a call
// that is not its subscriber's came to be.
func (c *Call) diverted(target gosip.Uri) map[string]string {
	to := c.To()
	c.mu.Lock()
	placed := c.tx == nil // an INVITE of the peer's may replace ours at any time
	c.mu.Unlock()
	if placed || !writable(to) || strings.ContainsAny(to, ";?@") || to == "" {
		return nil // it is we who called; or nobody's number
	}
	return map[string]string{"Diversion": "<sip:" + to + "@" + target.Host + ">;reason=unconditional;counter=1"}
}

// join lets the caller and far speak with each other: by the peer, where it is to
// and can, else by passing the audio on between them. far is hung up if neither
// comes about.
func (c *Call) join(ctx context.Context, far *Call) error {
	if c.trunk.Transfer == TransferAttended {
		err := c.TransferTo(ctx, far)
		if !errors.As(err, new(*referRefused)) {
			// Nobody runs far. Where it was replaced, its BYE has come already.
			_ = far.Hangup(context.WithoutCancel(ctx), media.Transferred) // err says it all
			return err
		}
	}
	if c.passOn(far) {
		return nil
	}
	_ = far.Hangup(context.WithoutCancel(ctx), media.Transferred) // it has failed already
	return fmt.Errorf("sip: transfer: the call is over: %w", context.Cause(c.over))
}

// claim makes sure that there is one transfer at a time.
func (c *Call) claim() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state != talking && c.state != answered, !c.running:
		return errNotTalking
	case c.moving:
		return errTransferring
	}
	c.moving = true
	return nil
}

// passOn takes the call out of Run's hands and joins it with far. It returns false
// when the call is over.
func (c *Call) passOn(far *Call) bool {
	law := far.Codec()
	there, back := newPassage(far, law, c.log), newPassage(c, law, c.log)
	j := &joint{second: far.ID(), over: make(chan struct{})}
	var ctx context.Context
	ctx, j.part = context.WithCancelCause(context.Background())
	c.mu.Lock()
	if c.state != talking && c.state != answered || !c.s.errands.Start(func() { c.relay(ctx, j, far, there, back) }) {
		c.mu.Unlock()
		return false
	}
	// Once Run's owner is told, nothing may reach it any more.
	c.up.attach(there, law)
	c.down.attach(back, law)
	c.joined = j
	c.mu.Unlock()
	c.signal()
	return true
}

// joint is what joins a caller with a second call, to whom he was transferred.
type joint struct {
	second string                  // its Call-ID
	part   context.CancelCauseFunc // hangs both up
	over   chan struct{}           // closed when both have ended
	why    error                   // set before
}

// relay carries both calls until either ends, or ctx does, and then ends the other.
func (c *Call) relay(ctx context.Context, j *joint, far *Call, there, back *passage) {
	<-c.handedOver
	var legs sync.WaitGroup
	legs.Go(func() { j.part(ofTarget(far.Run(ctx, back, there))) })
	c.serve(ctx, true)
	j.part(c.finish())
	legs.Wait()
	j.why = context.Cause(ctx) // the first of these
	close(j.over)
}

// ofTarget makes the end of a second call one of the target's.
func ofTarget(err error) error {
	if media.CauseOf(err) == media.CallerHungUp {
		return fmt.Errorf("sip: %w", media.TargetHungUp)
	}
	return fmt.Errorf("sip: the second call: %w", err)
}

// Relayed returns the Call-ID of the second call that Transfer has joined the caller
// with, and whether there is one.
func (c *Call) Relayed() (second string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.joined == nil {
		return "", false
	}
	return c.joined.second, true
}

// Relay waits until the two calls that Transfer has joined are over and returns why.
// When ctx ends first, both are hung up with its cause. It returns nil at once when
// there is no second call.
func (c *Call) Relay(ctx context.Context) error {
	c.mu.Lock()
	j := c.joined
	c.mu.Unlock()
	if j == nil {
		return nil
	}
	defer context.AfterFunc(ctx, func() { j.part(context.Cause(ctx)) })()
	<-j.over
	return j.why
}

// isPassed reports whether the call was passed on.
func (c *Call) isPassed() bool {
	_, passed := c.Relayed()
	return passed
}
