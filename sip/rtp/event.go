package rtp

import (
	"encoding/binary"

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

// presses tells key presses from the packets that repeat them.
type presses struct {
	any       bool
	timestamp uint32 // of the press, or of the last packet that went on with it
	last      event
}

// take takes one packet and returns the digit when it is the first one of a
// press, whichever of its packets that is.
func (p *presses) take(timestamp uint32, e event) (media.Digit, bool) {
	digit, ok := media.DigitOf(e.code)
	if !ok {
		return 0, false // hook flash, modem tones: no key
	}
	if p.any {
		since := int32(timestamp - p.timestamp)
		// RFC 4733 §2.5.1.2: all packets of an event carry its timestamp; an
		// older one is a straggler. One much older is of another clock.
		if -maxFill <= since && since < 0 {
			return 0, false
		}
		if p.goesOn(since, e) {
			p.timestamp, p.last = timestamp, e
			return 0, false
		}
	}
	p.any, p.timestamp, p.last = true, timestamp, e
	return digit, true
}

// goesOn reports whether e, whose timestamp is that much later than the last
// packet's, belongs to the same press.
func (p *presses) goesOn(since int32, e event) bool {
	if since == 0 {
		return true
	}
	if since < 0 || e.code != p.last.code {
		return false
	}
	// Some senders let the timestamp of an event grow with its duration. No press
	// begins before the end of the last one: what seems to is that one.
	if since < int32(p.last.duration) {
		return true
	}
	// RFC 4733 §2.5.1.3: a key held longer than the duration can say goes on in a
	// new segment, whose timestamp is where the last one ended.
	ended := since == int32(p.last.duration)
	grown := since == int32(e.duration)-int32(p.last.duration)
	return !p.last.end && (ended || grown)
}
