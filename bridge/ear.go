package bridge

import (
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/vad"
	"github.com/callgw/callgw/realtime"
)

// ear listens to the caller where the bridge itself must know who speaks: to
// stop the agent before the provider has decided, or because the provider is
// told not to detect turns at all. What is no more than the agent's own echo
// becomes silence, so that neither we nor the provider take it for the caller.
//
// It belongs to the leg's reader, and handles 20 ms of audio at a time.
type ear struct {
	call     *Call
	codec    media.Codec
	detector *vad.Detector
	echo     *reference
	turns    *turnMaker // nil when the provider makes the turns

	frame  [media.FrameBytes]byte
	filled int
}

// newEar returns nil when nothing asks for it.
func newEar(c *Call, echo *reference) *ear {
	if !c.listens() {
		return nil
	}
	codec := c.cfg.Leg.Codec()
	e := &ear{call: c, codec: codec, echo: echo}
	d := c.cfg.Agent.Properties.TurnDetection
	cfg := vad.Config{
		Threshold: c.cfg.Agent.BargeIn.Threshold,
		Hangover:  time.Duration(defaultSilenceMS) * time.Millisecond,
	}
	if c.makesTurns() {
		if d.Threshold != nil {
			cfg.Threshold = *d.Threshold
		}
		if d.SilenceDurationMS != nil {
			cfg.Hangover = time.Duration(*d.SilenceDurationMS) * time.Millisecond
		}
		e.turns = newTurnMaker(c, d, cfg.Hangover)
	}
	e.detector = vad.New(cfg)
	return e
}

// listens reports that the bridge follows the caller's audio itself.
func (c *Call) listens() bool {
	return c.cfg.Agent.BargeIn.Mode == BargeInInstant || c.makesTurns()
}

// makesTurns reports that turns are ours to make: the provider detects none.
func (c *Call) makesTurns() bool {
	d := c.cfg.Agent.Properties.TurnDetection
	return d != nil && d.Type == "none"
}

// take hears caller audio and hands it on to the session.
func (e *ear) take(session *realtime.Session, p []byte, now time.Time) {
	for len(p) > 0 {
		n := copy(e.frame[e.filled:], p)
		p = p[n:]
		if e.filled += n; e.filled == media.FrameBytes {
			e.filled = 0
			e.hear(session, now)
		}
	}
}

// hear takes one whole frame.
func (e *ear) hear(session *realtime.Session, now time.Time) {
	level := vad.Level(e.codec, e.frame[:])
	if e.echo.explains(level, now) {
		e.codec.FillSilence(e.frame[:])
		level = vad.Quiet
	}
	change, _ := e.detector.Frame(level)
	if e.turns != nil {
		e.turns.frame(session, e.frame[:], change, now)
		return
	}
	e.call.uplink.send(session, e.frame[:], now)
	if change == vad.Started {
		e.call.hesitate()
	}
}
