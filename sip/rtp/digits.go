package rtp

import (
	"errors"
	"fmt"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

const (
	// DefaultPress is how long a key sounds unless the caller says.
	DefaultPress = 100 * time.Millisecond
	// minPress is the shortest that a receiver must recognise (ITU-T Q.24).
	minPress = 40 * time.Millisecond
	maxPress = time.Minute
	// maxSegment is the longest duration that a packet can say, in samples.
	maxSegment = 0xFFFF
	// pause is the least silence between two keys (ITU-T Q.24).
	pause = 60 * time.Millisecond
	// ends is how often the last packet of an event is sent (RFC 4733 §2.5.1.4).
	ends = 3
	// queued is how many keys wait at most.
	queued = 64
)

var (
	// ErrNoEvents says that the peer did not agree to telephone-event.
	ErrNoEvents = errors.New("rtp: the peer takes no telephone-event")
	// ErrBusy says that too many keys wait to be sent.
	ErrBusy = errors.New("rtp: too many keys waiting")
)

// press is a key to send, with its duration in samples.
type press struct {
	code     uint8
	duration int
}

// dialler sends keys as telephone-events. Its time is that of the timestamps, so
// that an event lasts as long as it says, whatever is left out. Its owner's lock
// guards it.
type dialler struct {
	waiting []press
	code    uint8
	busy    bool   // code is being sent
	start   uint32 // the timestamp of the event, or of its present segment
	left    int    // how long it lasts from there, in samples
	ends    int    // how many last packets are still to be sent
	resting bool   // no key before the timestamp free
	free    uint32
}

// add queues a key.
func (d *dialler) add(digit media.Digit, duration time.Duration) error {
	code, ok := digit.Event()
	if !ok {
		return fmt.Errorf("rtp: %q is no key", digit)
	}
	if len(d.waiting) == queued {
		return ErrBusy
	}
	if duration == 0 {
		duration = DefaultPress
	}
	duration = min(max(duration, minPress), maxPress)
	d.waiting = append(d.waiting, press{code, int(media.Bytes(duration))})
	return nil
}

// drop forgets all keys and returns how many were not sent whole.
func (d *dialler) drop() int {
	n := len(d.waiting)
	if d.busy {
		n++
	}
	d.waiting, d.busy = d.waiting[:0], false
	return n
}

// next returns the event for the n samples from timestamp on, with the timestamp
// and the marker bit of its packet. Without ok there is none; quiet then says that
// these samples belong to the pause between keys.
func (d *dialler) next(timestamp uint32, n int) (e event, at uint32, marker, ok, quiet bool) {
	if !d.busy {
		if d.resting && int32(timestamp-d.free) < 0 {
			return event{}, 0, false, false, true
		}
		d.resting = false
		if len(d.waiting) == 0 {
			return event{}, 0, false, false, false
		}
		d.code, d.left = d.waiting[0].code, d.waiting[0].duration
		d.waiting = append(d.waiting[:0], d.waiting[1:]...)
		d.busy, d.start, d.ends = true, timestamp, ends
		marker = true // RFC 4733 §2.5.1.2: on the first packet of an event
	}
	at = d.start
	// RFC 4733 §2.3.4: -10 dBm0 is what telephones send.
	e = event{code: d.code, volume: 10}
	elapsed := int(timestamp-d.start) + n
	if d.left > maxSegment && elapsed >= maxSegment {
		// RFC 4733 §2.5.1.3: a segment that is full ends without the end bit, and
		// the next one begins where it ended, without the marker bit.
		e.duration = maxSegment
		d.start += maxSegment
		d.left -= maxSegment
		return e, at, marker, true, false
	}
	e.duration = uint16(min(elapsed, d.left))
	if elapsed >= d.left {
		e.end = true
		if d.ends--; d.ends == 0 {
			d.busy, d.resting, d.free = false, true, timestamp+uint32(n)+uint32(media.Bytes(pause))
		}
	}
	return e, at, marker, true, false
}
