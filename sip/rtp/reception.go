package rtp

import "sync"

// reception counts what comes of the peer's stream, for the reports to it
// (RFC 3550 §A.1, §A.3). The reader writes, the reporter reads.
type reception struct {
	mu       sync.Mutex
	any      bool
	ssrc     uint32
	first    uint32 // extended sequence numbers: the cycles above, the number below
	highest  uint32
	received uint32
	jitter   uint32 // samples

	before struct{ expected, received uint32 } // as of the last report
}

// begin begins anew, for a stream or a sequence that does.
func (r *reception) begin(ssrc uint32, sequence uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.any, r.ssrc, r.first, r.highest, r.received = true, ssrc, uint32(sequence), uint32(sequence), 1
	r.before.expected, r.before.received = 0, 0
}

// take notes a packet. One far out of order is not believed; if the sequence did
// restart, begin follows.
func (r *reception) take(ssrc uint32, sequence uint16, jitter uint32) {
	r.mu.Lock()
	fresh := !r.any || r.ssrc != ssrc
	if !fresh {
		switch step := sequence - uint16(r.highest); {
		case step < maxDropout:
			r.highest += uint32(step) // and the cycle, when it wraps
			r.received++
		case step >= 65536-maxMisorder:
			r.received++
		}
	}
	r.jitter = jitter
	r.mu.Unlock()
	if fresh {
		r.begin(ssrc, sequence)
	}
}

// block returns what a report says of the stream, and what is told apart by the
// next one. ok is false when nothing has come.
func (r *reception) block() (b block, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.any {
		return block{}, false
	}
	expected := r.highest - r.first + 1
	// RFC 3550 §A.3: packets that came twice make the loss negative.
	b = block{ssrc: r.ssrc, lost: int32(expected - r.received), highest: r.highest, jitter: r.jitter}
	interval := expected - r.before.expected
	if missing := int32(interval - (r.received - r.before.received)); interval > 0 && missing > 0 {
		b.fraction = uint8(min(uint64(missing)<<8/uint64(interval), 255))
	}
	r.before.expected, r.before.received = expected, r.received
	return b, true
}
