package rtp

import "time"

const (
	// patience is how long an open gap waits for its packet.
	patience = 40 * time.Millisecond
	// window is how many packets wait behind a gap: more than 40 ms of 10 ms.
	window = 8
	// RFC 3550 §A.1: larger steps forward or back are a restart.
	maxDropout  = 3000
	maxMisorder = 100
)

// held is a packet that waits behind a gap, with a payload of its own.
type held struct {
	packet
	used bool
	at   time.Time // when it came
}

// order restores the sequence. A packet in order passes at once; one that is
// ahead waits for those before it.
type order struct {
	started  bool
	expected uint16 // the next sequence number
	seen     uint64 // bit i: expected-1-i has come
	waiting  int    // how many are held
	restart  uint16 // what follows a packet far out of order
	doubt    bool   // there was such a packet
	held     [window]held
}

// place says where a packet belongs.
type place uint8

const (
	next      place = iota // in order: play it, then call advance
	ahead                  // beyond a gap: hold it
	duplicate              // seen before
	late                   // its gap was closed
	jump                   // far out of order: dropped, unless its successor comes
	restarted              // the successor came: the sequence begins anew
)

func (o *order) place(sequence uint16) place {
	if !o.started {
		o.begin(sequence)
		return next
	}
	step := int16(sequence - o.expected)
	switch {
	case step == 0:
		return next
	case 0 < step && step < maxDropout:
		if h := o.find(sequence); h != nil {
			return duplicate
		}
		return ahead
	case -maxMisorder <= step && step < 0:
		if bit := -int(step) - 1; bit < 64 && o.seen&(1<<bit) != 0 {
			return duplicate
		}
		return late
	}
	// RFC 3550 §A.1: two in sequence mean that the other side restarted.
	if o.doubt && sequence == o.restart {
		return restarted
	}
	o.doubt, o.restart = true, sequence+1
	return jump
}

// begin starts a sequence at the given number.
func (o *order) begin(sequence uint16) {
	o.started, o.expected, o.seen, o.doubt = true, sequence, 0, false
}

// advance notes that the expected packet was taken, or, with lost, given up.
func (o *order) advance(lost bool) {
	o.expected++
	o.seen <<= 1
	if !lost {
		o.seen |= 1
	}
	o.doubt = false
}

// hold keeps a copy of a packet that is ahead. It reports false when there is
// no room.
func (o *order) hold(now time.Time, p *packet) bool {
	if o.waiting == window {
		return false
	}
	for i := range o.held {
		h := &o.held[i]
		if h.used {
			continue
		}
		buffer := append(h.payload[:0], p.payload...)
		h.packet, h.used, h.at = *p, true, now
		h.payload = buffer
		o.waiting++
		return true
	}
	return false
}

// find returns the held packet of that number.
func (o *order) find(sequence uint16) *held {
	if o.waiting == 0 {
		return nil
	}
	for i := range o.held {
		if h := &o.held[i]; h.used && h.sequence == sequence {
			return h
		}
	}
	return nil
}

// release gives h's place free.
func (o *order) release(h *held) {
	h.used = false
	o.waiting--
}

// opened returns when the gap before the held packets showed.
func (o *order) opened() time.Time {
	var first time.Time
	for i := range o.held {
		if h := &o.held[i]; h.used && (first.IsZero() || h.at.Before(first)) {
			first = h.at
		}
	}
	return first
}

// gap returns how many packets are missing before the first held one.
func (o *order) gap() int {
	least := -1
	for i := range o.held {
		if h := &o.held[i]; h.used {
			if n := int(h.sequence - o.expected); least < 0 || n < least {
				least = n
			}
		}
	}
	return max(least, 0)
}
