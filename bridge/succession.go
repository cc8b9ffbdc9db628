package bridge

import (
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/realtime"
)

// succeed notes what becomes of the session's connections. The conversation
// goes on over another one; only [realtime.Session.Run] tells the end of it.
func (c *Call) succeed(e realtime.Event) {
	switch e := e.(type) {
	case realtime.SessionOpened:
		c.meters.connect(e.Provider, e.Took)
		c.refusals.Store(0)
		c.note(EventSessionOpen, "provider", e.Provider, "took", e.Took)
	case realtime.ProviderRefused:
		c.meters.sessionError(codeOfLoss(e.Err))
		c.note(EventSessionFail, "provider", e.Provider, "error", e.Err.Error())
		// One line tells that it happens; an outage has many attempts.
		level := zerolog.DebugLevel
		if c.refusals.Add(1) == 1 {
			level = zerolog.WarnLevel
		}
		c.log.WithLevel(level).Err(e.Err).Str("provider", e.Provider).Msg("session refused")
	case realtime.SessionLost:
		c.meters.sessionError(codeOfLoss(e.Err))
		c.note(EventSessionLost, "provider", e.Provider, "error", e.Err.Error())
		c.log.Warn().Err(e.Err).Str("provider", e.Provider).Msg("session lost")
		c.wait()
	case realtime.SessionRestored:
		c.meters.reconnect("restored")
		c.hold.Stop()
		c.refusals.Store(0)
		c.note(EventRestored, "provider", e.Provider, "took", e.Took, "replayed", e.Replayed)
		c.log.Info().Str("provider", e.Provider).Float64("took_ms", ms(e.Took)).Int("replayed", e.Replayed).Msg("session restored")
	case realtime.SessionRecycled:
		c.meters.reconnect("recycled")
		c.note(EventRecycled, "provider", e.Provider, "took", e.Took, "replayed", e.Replayed)
	}
}

// undisturbed tells whether the caller hears nothing of the agent just now.
func (c *Call) undisturbed() bool { return !c.queue.State().Sounding() }
