package mediastream

import (
	"errors"

	"github.com/callgw/callgw/bridge/media"
)

// maxSettled is how many calls are remembered when they are over: at 10 calls a
// second those of 13 minutes, which is longer than a signature that tells its time
// is good. Those of Twilio, SignalWire and Plivo are good for ever.
const maxSettled = 1 << 13

// settled are the latest calls that the carrier has got an answer for and that
// have left us. A signed request that tells of one again is a replay: the carrier
// gives each call an id of its own, and asks again only while it has no answer.
type settled struct {
	calls map[string]bool // that may come back: they were transferred
	order []string        // in a ring, from next on
	next  int
}

// add enters a call. The latest word on it counts.
func (r *settled) add(call string, away bool) {
	if r.calls == nil {
		r.calls = make(map[string]bool)
	}
	if _, known := r.calls[call]; !known {
		if len(r.order) < maxSettled {
			r.order = append(r.order, call)
		} else {
			delete(r.calls, r.order[r.next])
			r.order[r.next] = call
			r.next = (r.next + 1) % maxSettled
		}
	}
	r.calls[call] = away
}

// over tells whether a call is not to be expected again; returned: it is said to
// come back from a transfer.
func (r *settled) over(call string, returned bool) bool {
	away, known := r.calls[call]
	return known && !(away && returned)
}

// settle remembers a call that is over, unless the carrier may ask again.
func (h *Handler) settle(s *Stream) {
	cause := s.err()
	if s.profile.born || errors.Is(cause, media.CallerCancelled) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.settled.add(s.call, errors.Is(cause, media.Transferred))
}
