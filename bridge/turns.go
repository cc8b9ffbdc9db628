package bridge

import (
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/answering"
	"github.com/callgw/callgw/bridge/playout"
	"github.com/callgw/callgw/realtime"
)

// turns measures how long a reply takes, from the caller's last sample on the
// wire to the agent's first.
type turns struct {
	mu         sync.Mutex // the session's reader writes, the call's goroutine reads
	waiting    bool       // a response was created and has not made a sound
	firstDelta time.Time

	// Owned by the call's goroutine.
	spoken  time.Time // the caller's last sample; zero when no reply is owed
	stopped time.Time // speech_stopped arrived
}

func (t *turns) created() {
	t.mu.Lock()
	t.waiting = true
	t.mu.Unlock()
}

func (t *turns) delta(at time.Time) {
	t.mu.Lock()
	if t.waiting {
		t.waiting, t.firstDelta = false, at
	}
	t.mu.Unlock()
}

func (t *turns) first() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.firstDelta
}

func (c *Call) callerStarts(at time.Time) {
	c.lastActivity = at
	c.turns.spoken = time.Time{}
	c.owed = owed{}
	c.tellDigits(false)
	c.note(EventCallerStarts)
}

func (c *Call) callerStops(e realtime.SpeechStopped, at time.Time) {
	c.callerStopped(c.uplink.clock.when(e.AudioEndMS-c.hangover()), at)
}

// callerStopped notes the end of the caller's turn: when the last sample of it
// was on the wire, and when that was known.
func (c *Call) callerStopped(spoken, known time.Time) {
	c.lastActivity = known
	c.turns.stopped = known
	c.turns.spoken = spoken
	c.oweReply(known)
	c.note(EventCallerStops)
}

// defaultSilenceMS is the silence_duration_ms that is sent when none is set.
const defaultSilenceMS = 500

// hangover is the silence that audio_end_ms includes, in milliseconds: the
// server counts up to the end of the audio that it took for the turn.
func (c *Call) hangover() int64 {
	d := c.cfg.Agent.Properties.TurnDetection
	switch {
	case d == nil:
		return defaultSilenceMS
	case d.Type != "server_vad":
		return 0
	case d.SilenceDurationMS == nil:
		return defaultSilenceMS
	}
	return int64(*d.SilenceDurationMS)
}

// agentStarts reports the first sample of an item on the wire.
func (c *Call) agentStarts(ref playout.Ref, at time.Time) {
	c.lastActivity = at
	c.owed.since = time.Time{}
	c.note(EventAgentStarts, "item", ref.ItemID)
	if c.callee.over != answering.Running && c.farewell.begun {
		c.farewell.until = at.Add(longestMessage)
	}
	t := &c.turns
	if t.spoken.IsZero() {
		return
	}
	first := t.first()
	latency := Latency{
		Total: at.Sub(t.spoken),
		VAD:   t.stopped.Sub(t.spoken),
		Model: first.Sub(t.stopped),
		Queue: at.Sub(first),
	}
	t.spoken = time.Time{}
	c.meters.reply(latency)
	c.note(EventReply, "latency", latency.Total, "vad", latency.VAD,
		"model", latency.Model, "queue", latency.Queue)
}

// agentStops reports that the caller has heard all there was.
func (c *Call) agentStops() {
	c.lastActivity = time.Now()
	c.note(EventAgentStops)
	c.checkQuiet()
	// What was interrupted for the farewell may have drained a moment before it.
	if s := c.queue.State(); c.farewell.begun && !s.Sounding() && !s.Generating {
		c.endHeard(c.farewell.cause)
		return
	}
	if c.farewell.cause == nil && !c.callee.message.hushed.Load() && c.protected.CompareAndSwap(true, false) {
		c.unprotect()
	}
}

// unprotect lets the caller interrupt again, now that the greeting is over.
func (c *Call) unprotect() {
	if s := c.session.Load(); s != nil && c.interruptible() {
		err := s.Update(realtime.Properties{
			TurnDetection: interrupting(c.cfg.Agent.Properties.TurnDetection, true),
		})
		if err != nil {
			c.log.Warn().Err(err).Msg("caller cannot interrupt: session not updated")
		}
	}
}

// Latency of one reply and its parts.
type Latency struct {
	Total time.Duration // the caller's last sample on the wire to the agent's first
	VAD   time.Duration // until the provider decided that the turn was over
	Model time.Duration // until the first delta
	Queue time.Duration // until its first sample went out
}
