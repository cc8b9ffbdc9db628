package rtp

import "time"

// sample is the duration of one sample.
const sample = time.Second / 8000

// jitter estimates the interarrival jitter of RFC 3550 §A.8.
type jitter struct {
	any     bool
	transit uint32
	scaled  uint32 // the estimate in samples × 16
}

// take takes a packet's timestamp and its arrival, measured from any fixed
// moment, and returns the estimate in samples × 16.
func (j *jitter) take(arrival time.Duration, timestamp uint32) uint32 {
	transit := uint32(arrival/sample) - timestamp
	if j.any {
		d := int32(transit - j.transit) // right across the wrap of either clock
		if d < 0 {
			d = -d
		}
		// A restarted stream's first difference says nothing about the network.
		if d < maxFill {
			j.scaled += uint32(d) - (j.scaled+8)>>4
		}
	}
	j.any, j.transit = true, transit
	return j.scaled
}
