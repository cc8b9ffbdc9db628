package media

import "time"

// Quality is how a leg's audio has come through the network so far. What cannot be
// known of a leg, or is not known yet, is zero.
type Quality struct {
	Packets uint64        // that came: of RTP, or messages of a media stream
	Filled  time.Duration // silence put in for what did not come in time

	// Of RTP.
	Lost   uint64        // packets that never came
	Jitter time.Duration // RFC 3550 §6.4.1
	MOS    float64       // of what came, 1 to 4.5 by the E-model (ITU-T G.107)

	Timed     bool          // RoundTrip is known
	RoundTrip time.Duration // to the far end, or the carrier, and back

	// What the far end's reports say of the audio that it gets.
	Reported     bool
	RemoteLoss   float64 // the part of the packets lost lately, 0 to 1
	RemoteJitter time.Duration
	RemoteMOS    float64
}

// Loss returns the part of the packets that never came, 0 to 1.
func (q Quality) Loss() float64 {
	if q.Packets+q.Lost == 0 {
		return 0
	}
	return float64(q.Lost) / float64(q.Packets+q.Lost)
}
