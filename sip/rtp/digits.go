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
	// minPress is the shortest that a receiver must recognise (ITU-T Q.24); a
	// segment's duration field bounds the longest.
	minPress = 40 * time.Millisecond
	maxPress = 8 * time.Second
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

// dialler sends keys as telephone-events. Its owner's lock guards it.
type dialler struct {
	waiting []press
	now     press
	busy    bool   // now is being sent
	start   uint32 // its timestamp
	elapsed int
	ends    int // how many last packets are still to be sent
	pause   int // samples of silence before the next
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

// next returns the event for the n samples from timestamp on, with the
// timestamp that its packet carries and its marker bit. Without ok there is
// none; quiet then says that these samples belong to the pause between keys.
func (d *dialler) next(timestamp uint32, n int) (e event, at uint32, marker, ok, quiet bool) {
	if !d.busy {
		if d.pause > 0 {
			d.pause -= n
			return event{}, 0, false, false, true
		}
		if len(d.waiting) == 0 {
			return event{}, 0, false, false, false
		}
		d.now = d.waiting[0]
		d.waiting = append(d.waiting[:0], d.waiting[1:]...)
		d.busy, d.start, d.elapsed, d.ends = true, timestamp, 0, ends
		marker = true // RFC 4733 §2.5.1.2: on the first packet of an event
	}
	d.elapsed = min(d.elapsed+n, d.now.duration)
	// RFC 4733 §2.3.4: -10 dBm0 is what telephones send.
	e = event{code: d.now.code, volume: 10, duration: uint16(d.elapsed)}
	if d.elapsed == d.now.duration {
		e.end = true
		if d.ends--; d.ends == 0 {
			d.busy, d.pause = false, int(media.Bytes(pause))
		}
	}
	return e, d.start, marker, true, false
}
