package mediastream

import (
	"sync/atomic"
	"time"
)

// Stats is what a stream has done so far.
type Stats struct {
	FramesIn     uint64        // media messages passed on
	BytesIn      uint64        // their audio
	SilenceBytes uint64        // silence passed on for what the carrier left out
	Digits       uint64        // keys pressed
	Dropped      uint64        // messages dropped as faulty, and marks not returned
	ChunksOut    uint64        // media messages written
	BytesOut     uint64        // their audio
	Clears       uint64        // clear messages written
	RoundTrip    time.Duration // to the carrier and back; 0 if not measured yet
}

type counters struct {
	framesIn, bytesIn, silence, digits, dropped, chunksOut, bytesOut, clears atomic.Uint64
}

// Stats returns the stream's counts.
func (s *Stream) Stats() Stats {
	s.mu.Lock()
	trip := s.head.trip.estimate()
	s.mu.Unlock()
	return Stats{
		FramesIn:     s.counters.framesIn.Load(),
		BytesIn:      s.counters.bytesIn.Load(),
		SilenceBytes: s.counters.silence.Load(),
		Digits:       s.counters.digits.Load(),
		Dropped:      s.counters.dropped.Load(),
		ChunksOut:    s.counters.chunksOut.Load(),
		BytesOut:     s.counters.bytesOut.Load(),
		Clears:       s.counters.clears.Load(),
		RoundTrip:    trip,
	}
}
