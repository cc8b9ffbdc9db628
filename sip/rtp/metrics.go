package rtp

// Counter and Observer are what a Prometheus counter and histogram are.
type (
	Counter  interface{ Add(float64) }
	Observer interface{ Observe(float64) }
)

// Metrics are the counters that sessions share. Any of them may be nil.
type Metrics struct {
	Received  Counter // packets accepted
	Sent      Counter // packets sent
	Lost      Counter // packets that never came
	Reordered Counter // packets that came late, but in time
	// Rejected counts packets dropped, by reason.
	Rejected [Reasons]Counter
	// Jitter observes the interarrival jitter (RFC 3550 §6.4.1), in seconds,
	// once when a session ends.
	Jitter Observer
	// Loss observes the part of the peer's packets that never came, once at the end.
	Loss Observer
	// RoundTrip observes the last round trip of each session that measured one, in
	// seconds, and MOS the quality of what came (Stats.MOS), once at the end.
	RoundTrip, MOS Observer
}

func add(c Counter, n uint64) {
	if c != nil && n > 0 {
		c.Add(float64(n))
	}
}

// Reason says why a packet was dropped.
type Reason uint8

// The reasons.
const (
	Malformed Reason = iota // no RTP (RFC 3550 §5.1)
	Source                  // not from the address that the session is locked to
	SSRC                    // not of the stream that the session is locked to
	Payload                 // of a payload type that was not agreed
	Auth                    // not authenticated by the peer's key (RFC 3711 §3.3)
	Replay                  // authentic, but seen before or too old (RFC 3711 §3.3.2)
	Reasons                 // how many there are
)

// String returns the reason as the label of metrics.
func (r Reason) String() string {
	switch r {
	case Malformed:
		return "malformed"
	case Source:
		return "source"
	case SSRC:
		return "ssrc"
	case Payload:
		return "payload"
	case Auth:
		return "auth"
	case Replay:
		return "replay"
	}
	return "unknown"
}
