package sip

import "time"

// The timers of RFC 3261 table 4. sipgo's transactions keep the same values.
const (
	t1 = 500 * time.Millisecond // round trip: the first retransmission
	t2 = 4 * time.Second        // the longest distance between two
	// patience is how long anything is waited for: timers B, F, H, J and L.
	patience = 64 * t1
)

// resend is the schedule of retransmissions: t1 after the first sending, then
// at twice the distance each time, at most limit apart (0: no limit).
type resend struct {
	interval, limit time.Duration
}

// next returns the distance to the next retransmission.
func (r *resend) next() time.Duration {
	if r.interval == 0 {
		r.interval = t1
		return r.interval
	}
	r.interval *= 2
	if r.limit > 0 {
		r.interval = min(r.interval, r.limit)
	}
	return r.interval
}
