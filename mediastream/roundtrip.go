package mediastream

import "time"

// roundTrip estimates the time from our sending a message to the carrier's
// answer to it arriving, by the least of the latest samples: delays only add to
// it, and an old sample must not outlive a change of route.
type roundTrip struct {
	samples [8]time.Duration
	n       int // samples taken, ever
}

func (r *roundTrip) add(d time.Duration) {
	r.samples[r.n%len(r.samples)] = max(d, 0)
	r.n++
}

// estimate returns 0 as long as nothing has been measured.
func (r *roundTrip) estimate() time.Duration {
	n := min(r.n, len(r.samples))
	if n == 0 {
		return 0
	}
	least := r.samples[0]
	for _, d := range r.samples[1:n] {
		least = min(least, d)
	}
	return least
}
