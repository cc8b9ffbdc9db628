package rtp

import (
	"encoding/binary"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// eventBytes is the length of a telephone-event payload.
const eventBytes = 4

// event is a telephone-event payload (RFC 4733 §2.3).
//
//	 0                   1                   2                   3
//	|     event     |E|R| volume    |          duration             |
type event struct {
	code     uint8
	end      bool
	volume   uint8 // power level in -dBm0, 0 to 63
	duration uint16
}

func parseEvent(b []byte) (event, bool) {
	if len(b) < eventBytes {
		return event{}, false
	}
	return event{
		code:     b[0],
		end:      b[1]&0x80 != 0,
		volume:   b[1] & 0x3F,
		duration: binary.BigEndian.Uint16(b[2:]),
	}, true
}

func (e event) put(b []byte) {
	b[0] = e.code
	b[1] = e.volume & 0x3F
	if e.end {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], e.duration)
}

// lostEnd is how much audio, in samples, comes after a key before its last packets
// count as lost: RFC 4733 §2.5.2.2 leaves it to the receiver.
const lostEnd = media.SampleRate / 10

// presses tells key presses from the packets that repeat them.
type presses struct {
	any       bool
	open      bool   // the press was not released yet
	timestamp uint32 // of the press, or of the last packet that went on with it
	before    uint32 // how long its earlier segments were, in samples
	last      event
}

// belonging says what a packet is to the press that was last.
type belonging uint8

const (
	another   belonging = iota // it begins another press
	same                       // it belongs to the same press
	segment                    // and begins another segment of it
	straggler                  // it is of an earlier one, or no key
)

// place says where a packet belongs.
func (p *presses) place(timestamp uint32, e event) belonging {
	if _, ok := media.DigitOf(e.code); !ok {
		return straggler // hook flash, modem tones: no key
	}
	since := int32(timestamp - p.timestamp)
	switch {
	case !p.any:
		return another
	case since == 0:
		return same
	case -maxFill <= since && since < 0:
		// RFC 4733 §2.5.1.2: all packets of an event carry its timestamp; an
		// older one is a straggler. One much older is of another clock.
		return straggler
	case since < 0, e.code != p.last.code:
		return another
	case since < int32(p.last.duration), !p.last.end && since == int32(e.duration)-int32(p.last.duration):
		// Some senders let the timestamp of an event grow with its duration. No
		// press begins before the end of the last one: what seems to is that one.
		return same
	case !p.last.end && since == int32(p.last.duration):
		// RFC 4733 §2.5.1.3: a key held longer than the duration can say goes on
		// in a new segment, whose timestamp is where the last one ended.
		return segment
	}
	return another
}

// take takes one packet and returns the digit when it is the first one of a
// press, whichever of its packets that is.
func (p *presses) take(timestamp uint32, e event) (media.Digit, bool) {
	switch p.place(timestamp, e) {
	case straggler:
		return 0, false
	case segment:
		p.before += uint32(p.last.duration)
		fallthrough
	case same:
		p.timestamp, p.last = timestamp, e
		return 0, false
	}
	*p = presses{any: true, open: true, timestamp: timestamp, last: e}
	return media.DigitOf(e.code)
}

// over reports whether audio of that time tells that the key was released, although
// its last packets have not come.
func (p *presses) over(timestamp uint32) bool {
	return p.open && int32(timestamp-p.timestamp)-int32(p.last.duration) > lostEnd
}

// release returns the key that is pressed, and for how long it was, once.
func (p *presses) release() (d media.Digit, held time.Duration, ok bool) {
	if !p.open {
		return 0, 0, false
	}
	p.open = false
	d, ok = media.DigitOf(p.last.code)
	return d, media.Duration(int64(p.before) + int64(p.last.duration)), ok
}
