package rtp

import (
	"time"

	"github.com/callgw/callgw/bridge/media"
)

const (
	// overdue is how long audio may be due before silence takes its place.
	overdue = 60 * time.Millisecond
	// maxFill is the longest step of timestamps, in samples, that is taken for
	// a gap: 10 s. A longer one is another clock.
	maxFill = 10 * media.SampleRate
	// A stream that lags behind the silence in its place for stuckPackets in a
	// row and stuckTime, and does not catch up, had its clock stand still.
	stuckPackets = 4
	stuckTime    = 60 * time.Millisecond
)

// clock passes audio on to the uplink so that its bytes are a true 8 kHz clock:
// by the timestamps while packets come, by real time while none do.
type clock struct {
	uplink  media.Uplink
	count   *counters
	silence [media.FrameBytes]byte

	heard    bool      // there was a packet
	anchored bool      // next is the present stream's
	next     uint32    // the timestamp after what was passed on
	due      time.Time // when the packet with that timestamp should come

	lagging   int // packets in a row that came for time that was filled
	lagSince  time.Time
	lagAmount int32 // of the first, in samples
}

func newClock(uplink media.Uplink, count *counters) *clock {
	return &clock{uplink: uplink, count: count}
}

// codec makes silence that of the codec.
func (c *clock) codec(codec media.Codec) { codec.FillSilence(c.silence[:]) }

// start begins the clock: audio is due from now on.
func (c *clock) start(now time.Time) { c.due = now }

// unanchor makes the next packet's timestamp the measure, as another stream's
// is.
func (c *clock) unanchor() { c.anchored = false }

// audio passes a packet's payload on, after silence for what is missing before
// it and without what silence has taken the place of.
func (c *clock) audio(now time.Time, p *packet) {
	if len(p.payload) == 0 {
		return
	}
	payload := p.payload
	step := int32(p.timestamp - c.next) // right across the wrap
	switch {
	case !c.anchored || step > maxFill || step < -maxFill:
		c.rebase(now, p.timestamp)
	case step > 0:
		c.fill(int(step))
	case step < 0 && (p.marker || c.stuck(now, -step)):
		// The peer's clock stood still while it sent nothing: its audio is for
		// now, not for the time already filled.
		c.rebase(now, p.timestamp)
	case step < 0:
		if int(-step) >= len(payload) {
			c.count.late.Add(1)
			c.count.missed.Add(1)
			return
		}
		payload = payload[-step:]
	}
	c.lagging = 0
	c.uplink.Frame(payload)
	c.next = p.timestamp + uint32(len(p.payload))
	c.due = now.Add(media.Duration(int64(len(p.payload))))
}

// rebase makes timestamp the measure from now on. Real time says how much is
// missing since the last packet, in whole frames, as packets jitter by less.
func (c *clock) rebase(now time.Time, timestamp uint32) {
	if c.heard {
		for late := now.Sub(c.due); late >= media.FrameDuration && late < 2*overdue; late -= media.FrameDuration {
			c.fill(media.FrameBytes)
		}
	}
	c.anchored, c.heard, c.next = true, true, timestamp
}

// stuck reports whether the peer lags behind as much as it did a while ago, give
// or take a frame: a delayed burst catches up, a clock that stood still does not.
func (c *clock) stuck(now time.Time, lag int32) bool {
	if c.lagging == 0 {
		c.lagSince, c.lagAmount = now, lag
	}
	c.lagging++
	return c.lagging >= stuckPackets && now.Sub(c.lagSince) >= stuckTime && lag >= c.lagAmount-media.FrameBytes
}

// fill passes n bytes of silence on.
func (c *clock) fill(n int) {
	c.next += uint32(n)
	c.count.filled.Add(uint64(n))
	for n > 0 {
		k := min(n, len(c.silence))
		c.uplink.Frame(c.silence[:k])
		n -= k
	}
}

// deadline returns when silence is to take the place of what does not come.
func (c *clock) deadline() time.Time { return c.due.Add(overdue) }

// synthesise passes on, in frames, the silence that is due by now.
func (c *clock) synthesise(now time.Time) {
	if now.Sub(c.due) > media.Duration(maxFill)+overdue {
		c.due = now.Add(-overdue) // the machine slept: nobody waits for that silence
	}
	for !now.Before(c.deadline()) {
		c.fill(media.FrameBytes)
		c.due = c.due.Add(media.FrameDuration)
	}
}
