package mediastream

import "time"

// exactPatience is how long a flush may wait for a carrier that tells exactly
// what was heard: enough for a peer on the same network. It is the price of
// exactness, and bounded, as a flush must not hold up a call.
const exactPatience = 30 * time.Millisecond

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
	heard int64  // estimated
	told  chan int64
}

func (q *inquiries) ask(now time.Time, c *cut) { *q = append(*q, inquiry{now, c}) }

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
	at := c.wire - unplayed
	for i := range c.marks {
		if m := &c.marks[i]; at <= m.wire {
			// Padding follows the audio that the mark stands for.
			return min(m.end, m.end+m.pad-(m.wire-at))
		}
	}
	return c.heard
}
