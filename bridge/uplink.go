package bridge

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
)

// uplink takes what comes from the phone. It implements media.Uplink.
type uplink struct {
	call *Call
	ear  *ear // nil where the provider's ears are enough
	// listener finds out who has answered; nil unless that is asked for.
	listener *listener
	held     atomic.Bool
	paused   atomic.Bool // on request: see Call.PauseAudio

	// mu is between the leg's reader and the silence that ends a turn on hold.
	mu sync.Mutex

	frames, bytes atomic.Int64
	clock         clock
}

// Frame sends caller audio on to the session.
func (u *uplink) Frame(p []byte) {
	u.frames.Add(1)
	u.bytes.Add(int64(len(p)))
	if u.held.Load() {
		return
	}
	if u.listener != nil {
		u.listener.hear(p, time.Now())
	}
	if u.paused.Load() || u.call.callee.message.hushed.Load() {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.held.Load() {
		u.take(p, time.Now())
	}
}

// take sends audio on, by our own ear if there is one. Callers hold mu.
func (u *uplink) take(p []byte, now time.Time) {
	switch s := u.call.session.Load(); {
	case s == nil:
	case u.ear != nil:
		u.ear.take(s, p, now)
	default:
		u.send(s, p, now)
	}
}

// send sends audio of the leg to the session, in the session's format.
func (u *uplink) send(s *realtime.Session, p []byte, now time.Time) {
	s.Append(u.call.formats.up(p))
	u.clock.advance(int64(len(p)), now)
}

// Digit reports a key press.
func (u *uplink) Digit(d media.Digit) {
	c := u.call
	c.post(func() { c.digit(d) })
}

// Hold stops the agent's speech where it is, and the caller's audio from
// reaching the model, until the call is taken back.
func (u *uplink) Hold(on bool) {
	u.held.Store(on)
	c := u.call
	c.pauses.onHold(on)
	c.post(func() {
		c.lastActivity = time.Now()
		if on {
			c.state.Store(uint32(Holding))
			c.note(EventHold)
			u.fallSilent()
			c.tell("The caller has put the call on hold.")
			return
		}
		if c.State() == Holding {
			c.state.Store(uint32(Talking))
		}
		c.note(EventResume)
		c.tell("The caller is back from hold.")
	})
}

// fallSilent appends the silence that ends a turn: who goes on hold while speaking
// says no more, and would else be speaking until they are back.
func (u *uplink) fallSilent() {
	d := u.call.cfg.Agent.Properties.TurnDetection
	length := time.Duration(u.call.hangover())*time.Millisecond + holdSilence
	if d != nil && d.Type == "semantic_vad" {
		length += holdSilence
	}
	var frame [media.FrameBytes]byte
	u.call.cfg.Leg.Codec().FillSilence(frame[:])
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	for sent := time.Duration(0); sent < length && u.held.Load(); sent += media.FrameDuration {
		u.take(frame[:], now.Add(sent))
	}
}

// holdSilence is what ends a turn beyond the silence that detection waits for;
// semantic detection waits longer.
const holdSilence = 500 * time.Millisecond

// Recoded tells that the leg converts between the two laws. It implements
// media.Recoder.
func (u *uplink) Recoded(phone media.Codec) {
	c := u.call
	law := c.cfg.Leg.Codec()
	c.note(EventRecoded, "phone", phone.String(), "session", law.String())
	c.log.Info().Stringer("phone", phone).Stringer("session", law).Msg("audio is converted between the two laws")
}

// clock tells when a sample that a session counts was on the wire: providers
// count the audio appended, which is a true clock because gaps are filled.
type clock struct {
	bytes atomic.Int64
	at    atomic.Int64 // Unix nanoseconds of the newest byte's arrival
}

func (k *clock) advance(n int64, now time.Time) {
	k.bytes.Add(n)
	k.at.Store(now.UnixNano())
}

// when returns the arrival of the sample at ms milliseconds of appended audio.
func (k *clock) when(ms int64) time.Time {
	behind := media.Duration(k.bytes.Load()) - time.Duration(ms)*time.Millisecond
	return time.Unix(0, k.at.Load()).Add(-behind)
}
