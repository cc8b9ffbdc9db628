package bridge

import (
	"context"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// HangUp ends the call for cause whatever has become of it: a caller who speaks to
// the target of a transfer by way of this gateway is hung up, too. It does not wait.
func (c *Call) HangUp(cause error) {
	c.End(cause)
	c.part(cause)
}

// relay waits for the end of what the leg still carries when neither the agent nor
// this call has a part in it any more. The call exists meanwhile: it takes its place
// among those that may be at a time, and a drain waits for it.
func (c *Call) relay(ctx context.Context) {
	leg, ok := c.cfg.Leg.(Relayer)
	if !ok {
		return
	}
	second, ok := leg.Relayed()
	if !ok {
		return
	}
	if media.CauseOf(c.cause) != media.Transferred {
		c.part(c.cause) // it ended in the very moment in which the target answered
	}
	began := time.Now()
	c.endingSince.Store(0)
	c.state.Store(uint32(Transferred))
	c.note(EventRelayed, "carrier_call", second)
	c.log.Info().Str("second_carrier_call", second).Msg("caller passed on to a second call")
	defer context.AfterFunc(ctx, func() { c.part(shutdown(context.Cause(ctx))) })()
	defer context.AfterFunc(c.together, func() { c.endingSince.Store(time.Now().UnixNano()) })()
	cause := media.CauseOf(leg.Relay(c.together))
	c.state.Store(uint32(Ending))
	c.meters.relayed(cause)
	c.note(EventRelayEnded, "cause", cause.String(), "lasted", time.Since(began))
}
