package bridge

import (
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/playout"
)

// bargeIn stops the agent because the caller began to speak. It runs on the
// session's reader, so that no later delta can come before it.
func (c *Call) bargeIn(at time.Time) {
	if c.interruptible() {
		c.interruptFor(at)
	}
}

// interruptFor stops the agent for speech that was noticed at a moment, unless
// what it says by now is protected.
func (c *Call) interruptFor(at time.Time) {
	c.interruptMu.Lock()
	defer c.interruptMu.Unlock()
	if c.protected.Load() {
		return
	}
	doubted := c.pauses.inDoubt(false)
	i := c.queue.Interrupt()
	if !i.Sounding && len(i.Running) == 0 {
		return
	}
	heard := i.Sent
	if i.Sounding && !doubted { // whoever paused in doubt has flushed already
		if pos, ok := c.flush(); ok {
			heard = pos
		}
	}
	stopped := time.Since(at)
	cuts := i.At(heard)
	if i.Sounding {
		c.meters.bargeIn(stopped)
		heard, received := sum(cuts)
		c.note(EventBargeIn, "heard_ms", heard.Milliseconds(), "received_ms", received.Milliseconds(), "stopped_in", stopped)
	}
	for _, cut := range cuts {
		c.forget(cut)
	}
	if c.makesTurns() {
		c.cancel(i.Running)
	}
}

// cancel stops responses, where the provider does not do that by itself.
func (c *Call) cancel(responses []string) {
	s := c.session.Load()
	if s == nil {
		return
	}
	s.InterruptFunctions()
	for _, id := range responses {
		if err := s.Cancel(id); err != nil {
			c.log.Debug().Err(err).Msg("response not cancelled")
		}
	}
}

// interruptible reports whether the provider's detection of speech interrupts
// the agent. Where the configuration forbids it the provider goes on speaking,
// and so do we.
func (c *Call) interruptible() bool {
	if c.cfg.Agent.BargeIn.Mode == BargeInOff {
		return false
	}
	d := c.cfg.Agent.Properties.TurnDetection
	return d == nil || d.InterruptResponse == nil || *d.InterruptResponse
}

// silence stops the agent for good: the model is not heard any more.
func (c *Call) silence() {
	c.interruptMu.Lock()
	defer c.interruptMu.Unlock()
	c.failed.Store(true)
	c.protected.Store(true)
	c.pauses.inDoubt(false)
	c.queue.Interrupt()
	c.flush()
}

// flush drops what the far end of the leg has buffered, if it buffers, and
// returns the position heard. The caller holds interruptMu.
func (c *Call) flush() (heard int64, ok bool) {
	f, ok := c.cfg.Leg.(media.Flusher)
	if !ok {
		return 0, false
	}
	return f.Flush(), true
}

// forget makes the model's memory of an item agree with what the caller heard.
func (c *Call) forget(cut playout.Cut) {
	if cut.ResponseID == "" {
		return // a recording of ours
	}
	// Below one millisecond there is nothing to keep, and a server may refuse
	// to truncate what has no audio yet.
	if cut.Heard < media.BytesPerMillisecond {
		c.unsay(cut.ItemID)
		return
	}
	s := c.session.Load()
	if s == nil {
		return
	}
	end := media.Duration(cut.Heard).Truncate(time.Millisecond)
	if err := s.Truncate(cut.ItemID, cut.ContentIndex, end); err != nil {
		c.meters.truncations.refused.Inc()
		return
	}
	c.meters.truncations.sent.Inc()
	c.note(EventTruncated, "item", cut.ItemID, "heard_ms", end.Milliseconds(),
		"received_ms", media.Duration(cut.Received).Milliseconds())
}

// unsay deletes an item of which the caller heard nothing.
func (c *Call) unsay(itemID string) {
	s := c.session.Load()
	if s == nil {
		return
	}
	if err := s.Delete(itemID); err != nil {
		c.meters.truncations.refused.Inc()
		return
	}
	c.meters.truncations.deleted.Inc()
	c.note(EventTruncated, "item", itemID, "heard_ms", int64(0), "deleted", true)
}

// sum adds up what was heard and received of several items.
func sum(cuts []playout.Cut) (heard, received time.Duration) {
	for _, cut := range cuts {
		heard += media.Duration(cut.Heard)
		received += media.Duration(cut.Received)
	}
	return heard, received
}
