package bridge

import (
	"fmt"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
)

// Prices of a model in US dollars per million tokens.
type Prices struct {
	TextIn, TextCached, TextOut    float64
	AudioIn, AudioCached, AudioOut float64
}

// Of returns what a response cost, in US dollars.
func (p Prices) Of(u realtime.Usage) float64 {
	in, out := u.InputTokenDetails, u.OutputTokenDetails
	cached := in.CachedTokensDetails
	// What a server counts wrongly must not be paid back.
	tokens := func(n int) float64 { return float64(max(0, n)) }
	return (p.TextIn*tokens(in.TextTokens-cached.TextTokens) +
		p.TextCached*tokens(cached.TextTokens) +
		p.TextOut*tokens(out.TextTokens) +
		p.AudioIn*tokens(in.AudioTokens-cached.AudioTokens) +
		p.AudioCached*tokens(cached.AudioTokens) +
		p.AudioOut*tokens(out.AudioTokens)) / 1e6
}

// account books what a response took. Tokens that no model could have read are
// the server's mistake: they are counted as that, and not paid for.
func (c *Call) account(u *realtime.Usage) {
	switch {
	case u == nil:
	case !credible(u):
		c.meters.sessionError("malformed")
		c.log.Debug().Any("usage", u).Msg("usage not booked: more tokens than one response can take")
	default:
		c.meters.usage(u)
		c.spend(u)
	}
}

// mostTokens is far beyond any model's context, and what one response can take.
const mostTokens = 100_000_000

// credible reports that no count of tokens is beyond mostTokens, either way.
func credible(u *realtime.Usage) bool {
	in, out := u.InputTokenDetails, u.OutputTokenDetails
	cached := in.CachedTokensDetails
	for _, n := range []int{in.TextTokens, in.AudioTokens, cached.TextTokens, cached.AudioTokens, out.TextTokens, out.AudioTokens} {
		if n > mostTokens || n < -mostTokens {
			return false
		}
	}
	return true
}

// spend books what a response cost, and ends the call when it has cost enough.
func (c *Call) spend(u *realtime.Usage) {
	price, ok := c.cfg.Agent.Prices[c.model()]
	if !ok {
		return
	}
	cost := price.Of(*u)
	c.cost += cost
	c.meters.spent(cost)
	if limit := c.cfg.Agent.Limits.Cost; limit > 0 && c.cost >= limit && c.farewell.cause == nil {
		c.sayGoodbye(fmt.Errorf("bridge: %w: %.2f of %.2f USD", media.CostLimit, c.cost, limit))
	}
}

// model returns the model that speaks in the call.
func (c *Call) model() string {
	s := c.session.Load()
	if s == nil {
		return ""
	}
	return s.Effective().Model
}

// goodbyeTimeout bounds a farewell: what the model makes of it is its own affair.
const goodbyeTimeout = 15 * time.Second

// goodbyeMark is the metadata by which the farewell's response is known.
const goodbyeMark = "callgw_goodbye"

// sayGoodbye ends the call politely: the agent takes its leave, and is heard to
// the end, before the caller is hung up.
func (c *Call) sayGoodbye(cause error) {
	s := c.session.Load()
	if s == nil || c.farewell.cause != nil {
		c.End(cause)
		return
	}
	err := s.Respond(realtime.ResponseRequest{
		Instructions: "The call has to end now. Say so and take your leave in one short sentence, in the language of the conversation.",
		Metadata:     map[string]string{goodbyeMark: "1"},
	})
	if err != nil {
		c.End(cause)
		return
	}
	c.farewell = farewell{cause: cause, until: time.Now().Add(goodbyeTimeout)}
	c.protected.Store(true)
}

// farewell is the last thing that the caller hears. It belongs to the call's
// goroutine.
type farewell struct {
	cause   error     // for which the call ends then; nil: the call goes on
	begun   bool      // it is what sounds now, or nothing else will
	apology bool      // it is the recording for a failure
	until   time.Time // when the call ends in any case; zero: whenever it was heard
}

// lingering is what a far end's jitter buffer and network hold of the audio that
// was sent last. A leg that reports what was heard has waited for it already.
const lingering = 200 * time.Millisecond

// endHeard ends the call when the caller has heard what was sent last.
func (c *Call) endHeard(cause error) {
	if _, reports := c.cfg.Leg.(media.Flusher); reports {
		c.End(cause)
		return
	}
	c.farewell.cause = cause
	c.linger.Reset(lingering)
}

// checkFarewell ends a call whose farewell was heard, or takes too long.
func (c *Call) checkFarewell(now time.Time) {
	if f := c.farewell; f.cause != nil && !f.until.IsZero() && now.After(f.until) {
		c.End(f.cause)
	}
}
