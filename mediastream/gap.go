package mediastream

import (
	"time"

	"github.com/callgw/callgw/bridge/media"
)

const (
	// quiet is how long nothing must arrive before silence is invented: longer
	// than ordinary jitter, far shorter than a voice detector's patience.
	quiet = 100 * time.Millisecond
	// maxGap bounds the silence for one jump of the carrier's timestamps.
	maxGap = 10 * time.Second
	// ahead bounds how far silence lets the caller's audio run ahead of our clock:
	// timestamps that jump to and fro would insert maxGap each time.
	ahead = maxGap + quiet
	// maxTimestamp is the last timestamp that is believed, in ms: 35,000 years.
	maxTimestamp = 1 << 50
)

// gaps keeps the caller's audio a true 8 kHz clock although carriers may leave
// out silence. Two clocks tell what is missing: the timestamp of the next
// message exactly and afterwards, ours roughly and at once, so that the model's
// voice detector hears the silence that ends a turn. It is pure: time is an
// argument.
type gaps struct {
	begun bool
	// next is the timestamp, in bytes, at which the next message must begin if
	// nothing is missing. Silence invented meanwhile moves it too, so that it
	// is not inserted again.
	next int64
	// served is until when, on our clock, the caller's audio or silence in its
	// place has been passed on.
	served time.Time
	// began is when that was first, passed how many bytes have been passed on.
	began  time.Time
	passed int64
}

func newGaps(now time.Time) gaps { return gaps{served: now, began: now} }

// audio books the arrival of n bytes with timestamp at, in ms (stamped: there
// is one), and returns how many bytes of silence to pass on before them.
func (g *gaps) audio(now time.Time, at int64, stamped bool, n int) (silence int64) {
	g.served = now
	stamped = stamped && 0 <= at && at <= maxTimestamp
	at *= media.BytesPerMillisecond
	switch missing := at - g.next; {
	case !stamped:
	case !g.begun:
		g.begun, g.next = true, at
	case missing >= media.FrameBytes:
		silence, g.next = min(missing, media.Bytes(maxGap)), at
	case missing < -media.Bytes(quiet):
		// The carrier's clock went back, or audio comes late for which silence
		// went ahead: begin anew from here. Smaller steps back are jitter of
		// the timestamps, which the next steps forward make up for.
		g.next = at
	}
	g.next += int64(n)
	silence = min(silence, max(media.Bytes(now.Sub(g.began)+ahead)-g.passed, 0))
	g.passed += silence + int64(n)
	return silence
}

// due returns when idle is to be called unless audio arrives before.
func (g *gaps) due() time.Time { return g.served.Add(quiet) }

// idle returns how many bytes of silence are due, whole frames: none unless
// nothing has arrived for quiet. It stays quiet behind our clock, so that audio
// which was only late is not preceded by silence as long as itself.
func (g *gaps) idle(now time.Time) (silence int64) {
	late := now.Sub(g.due())
	if late < 0 {
		return 0
	}
	if late > maxGap { // the machine slept
		g.served = now.Add(-quiet - maxGap)
		late = maxGap
	}
	frames := int64(late/media.FrameDuration) + 1
	g.served = g.served.Add(time.Duration(frames) * media.FrameDuration)
	silence = frames * media.FrameBytes
	g.next += silence
	g.passed += silence
	return silence
}
