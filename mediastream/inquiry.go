package mediastream

import "time"

// exactPatience is how long a flush may wait for a carrier that tells exactly
// what was heard: enough for a peer on the same network. It is the price of
// exactness, and bounded, as a flush must not hold up a call.
const exactPatience = 30 * time.Millisecond

// maxInquiries is how many questions may be open. A peer that leaves more
// unanswered does not answer at all.
const maxInquiries = 16

// inquiries are questions how much is unplayed. Their answers come in order.
type inquiries []inquiry

type inquiry struct {
	at  time.Time
	cut *cut // not nil: asked by a clear
}

// cut is what a clear has cut off, until the carrier tells where.
type cut struct {
	wire  int64  // sent so far, padding too
	marks []mark // of what may be unplayed
	floor int64  // known to be heard
	heard int64  // estimated
	told  chan int64
}

func (q *inquiries) ask(now time.Time, c *cut) {
	if len(*q) >= maxInquiries {
		*q = (*q)[:0]
	}
	*q = append(*q, inquiry{now, c})
}

// answer takes the answer to the oldest question: so many bytes are unplayed. It
// returns the round trip, 0 if there was no question.
func (q *inquiries) answer(now time.Time, h *playhead, unplayed int64) time.Duration {
	if len(*q) == 0 {
		return 0
	}
	asked := (*q)[0]
	*q = append((*q)[:0], (*q)[1:]...)
	trip := now.Sub(asked.at)
	h.trip.add(trip)
	if c := asked.cut; c != nil {
		heard := c.position(unplayed)
		if h.heard == c.heard { // nothing has been heard since
			h.heard = heard
		}
		c.told <- heard
	}
	return trip
}

// position returns what of the stream was heard if so much of the wire was not
// played.
func (c *cut) position(unplayed int64) int64 {
	at := c.wire - min(max(unplayed, 0), c.wire)
	for i := range c.marks {
		if m := &c.marks[i]; at <= m.wire {
			// Padding follows the audio that the mark stands for.
			return max(min(m.end, m.end+m.pad-(m.wire-at)), c.floor)
		}
	}
	return c.heard
}
