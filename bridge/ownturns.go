package bridge

import (
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/vad"
	"github.com/callgw/callgw/realtime"
)

// defaultPreroll is how much audio before the onset goes with a turn: the first
// consonant is quieter than what is recognised as speech.
const defaultPreroll = 300 * time.Millisecond

// turnMaker makes the caller's turns: it appends what is said, and nothing
// else, commits it when the caller falls silent, and asks for a response.
type turnMaker struct {
	call     *Call
	hangover time.Duration
	speaking bool
	preroll  []byte // a ring of whole frames
	oldest   int
}

func newTurnMaker(c *Call, d *realtime.TurnDetection, hangover time.Duration) *turnMaker {
	length := defaultPreroll
	if d.PrefixPaddingMS != nil {
		length = time.Duration(*d.PrefixPaddingMS) * time.Millisecond
	}
	// What the detector needs to be sure comes on top.
	frames := int((length+5*media.FrameDuration)/media.FrameDuration) + 1
	t := &turnMaker{call: c, hangover: hangover, preroll: make([]byte, frames*media.FrameBytes)}
	c.cfg.Leg.Codec().FillSilence(t.preroll)
	return t
}

// frame takes one frame and what the detector makes of it.
func (t *turnMaker) frame(session *realtime.Session, p []byte, change vad.Change, now time.Time) {
	c := t.call
	if change == vad.Started {
		c.bargeIn(now)
		c.uplink.send(session, t.preroll[t.oldest:], now)
		c.uplink.send(session, t.preroll[:t.oldest], now)
		t.speaking = true
		c.post(func() { c.callerStarts(now) })
	}
	if t.speaking {
		c.uplink.send(session, p, now)
	} else {
		copy(t.preroll[t.oldest:], p)
		t.oldest = (t.oldest + media.FrameBytes) % len(t.preroll)
	}
	if change == vad.Stopped {
		t.speaking = false
		spoken := now.Add(-t.hangover)
		// Refusals mean that the session is gone, which ends or repairs the call.
		_ = session.Commit()
		if !c.callee.waiting.Load() {
			_ = session.Respond(realtime.ResponseRequest{})
		}
		c.post(func() { c.callerStopped(spoken, now) })
	}
}
