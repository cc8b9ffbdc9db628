package mediastream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// Outbound is a call to place.
type Outbound struct {
	To   string // a number in E.164, or a sip: or client: address
	From string // a number of the account, or one that it has verified
	// RingTimeout is how long it may ring, whole seconds up to 10 minutes.
	// Default DefaultRingTimeout.
	RingTimeout time.Duration
	// TimeLimit ends the call at the carrier. 0: the carrier's own.
	TimeLimit time.Duration
	// AMD is answering machine detection. Default AMDOff.
	AMD       AMD
	AMDTiming AMDTiming
	// Params are the stream's Params beside those that a webhook would have:
	// From, To, Direction (outbound-api), CallSid and AccountSid.
	Params url.Values
	// Handler carries the call as Config.Handler does, which is the default.
	// The stream's Answer returns when the phone was picked up.
	Handler func(ctx context.Context, s *Stream)
	// Observe, if set, is told of the call's progress until its stream ends, in
	// order, and of whom AMD has heard. It must not block.
	Observe func(StatusEvent)
}

// DefaultRingTimeout is how long a call out may ring.
const DefaultRingTimeout = 60 * time.Second

// ringMargin is what the carrier may add to a ring timeout, and then take to say
// so.
const ringMargin = 10 * time.Second

// placed is what a stream that we have called has beside the others.
type placed struct {
	handler  func(ctx context.Context, s *Stream)
	notify   func(StatusEvent) // may be nil
	ringing  time.Duration
	revoke   func()        // of what the carrier was given for this call
	pickedUp chan struct{} // closed when the phone was

	mu   sync.Mutex // held while an event is acted upon: they come in order
	seen bool       // pickedUp is closed
}

// Call places a call and returns its stream when the carrier has taken the
// order: the phone will ring. The handler then carries it, in a goroutine that
// belongs to Run like those of the calls that come in. Its Answer, and the
// stream's end, say whether the phone was picked up: a [CallError] if not.
//
// Errors wrap a cause, and a [RESTError] if the carrier refused. After Drain it
// is media.Shutdown.
func (h *Handler) Call(ctx context.Context, out Outbound) (*Stream, error) {
	switch {
	case h.cfg.REST == nil:
		return nil, fmt.Errorf("mediastream: call: no credentials for the carrier's REST API are configured: %w", media.Internal)
	case h.isDraining():
		return nil, fmt.Errorf("mediastream: call: %w", media.Shutdown)
	}
	promised := newPromise()
	token, reference := h.tokens.issue(promised), h.calls.issue(promised)
	revoke := func() {
		h.tokens.revoke(token)
		h.calls.revoke(reference)
	}
	status := h.cfg.origin() + h.profile.status + "?" + referenceParameter + "=" + reference
	ringing := cmp.Or(out.RingTimeout, DefaultRingTimeout)
	// An order that is under way may be carried out whoever waits for it: it has to be
	// known which call is to be taken back.
	call, err := h.cfg.REST.Create(context.WithoutCancel(ctx), OutboundCall{
		To: out.To, From: out.From,
		TwiML:     h.profile.answers.connect(connection{h.cfg.streamURL(h.profile.media), status, token}),
		StatusURL: status, RingTimeout: ringing, TimeLimit: out.TimeLimit, AMD: out.AMD, AMDTiming: out.AMDTiming,
	})
	if err != nil {
		revoke()
		promised.keep(nil)
		return nil, fmt.Errorf("mediastream: call: %w: %w", causeOfRefusal(err), err)
	}
	s := newStream(h, out.params(call.SID, h.cfg.REST.account))
	s.answered = true // there is no webhook that would wait for it
	s.placed = &placed{
		handler: out.Handler, notify: out.Observe, ringing: ringing,
		revoke: revoke, pickedUp: make(chan struct{}),
	}
	if s.placed.handler == nil {
		s.placed.handler = h.cfg.Handler
	}
	h.remember(s)
	promised.keep(s)
	if err = context.Cause(ctx); err == nil {
		select {
		case h.arrivals <- s:
			return s, nil
		case <-h.drain:
			err = media.Shutdown
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	h.withdraw(ctx, s, err)
	return nil, fmt.Errorf("mediastream: call: %w", err)
}

// withdraw takes back a call that nobody will carry.
func (h *Handler) withdraw(ctx context.Context, s *Stream, cause error) {
	h.forget(s)
	s.end(cause)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangUpPatience)
	defer cancel()
	if err := h.cfg.HangUp(ctx, s.call); err != nil {
		s.log.Warn().Err(err).Msg("a call out that nobody carries could not be hung up")
	}
}

// params returns what a webhook would have told of the call.
func (o *Outbound) params(call, account string) url.Values {
	params := make(url.Values, len(o.Params)+5)
	maps.Copy(params, o.Params)
	for name, value := range map[string]string{
		"CallSid": call, "AccountSid": account, "From": o.From, "To": o.To, "Direction": "outbound-api",
	} {
		params.Set(name, value)
	}
	return params
}

// causeOfRefusal returns the cause nearest to an order that was not taken.
func causeOfRefusal(err error) media.Cause {
	var refused *RESTError
	if errors.As(err, &refused) && refused.Status/100 == 4 && !refused.retryable(false) {
		return media.Rejected
	}
	return media.LegFailed
}

// pickUp returns when the phone was picked up and its stream has begun.
func (s *Stream) pickUp(ctx context.Context) error {
	limit := time.NewTimer(s.placed.ringing + ringMargin)
	defer limit.Stop()
	pickedUp := s.placed.pickedUp
	for {
		select {
		case <-s.attached:
			return nil
		case <-s.ended:
			return s.err()
		case <-pickedUp:
			pickedUp = nil
			limit.Reset(s.cfg.TokenTTL)
		case <-ctx.Done():
			return fmt.Errorf("mediastream: answer: %w: %w", media.NoAnswer, context.Cause(ctx))
		case <-limit.C:
			return fmt.Errorf("mediastream: answer: neither a stream nor the call's end: %w", media.NoAnswer)
		}
	}
}

// progress tells of an event that is in order.
func (p *placed) progress(event StatusEvent) {
	if event.Status == "in-progress" && !p.seen {
		p.seen = true
		close(p.pickedUp)
	}
	if p.notify != nil {
		p.notify(event)
	}
}
