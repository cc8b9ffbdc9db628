package rtp

import (
	"net/netip"
	"sync/atomic"
	"time"
)

// Stats is what a session has counted, at one moment.
type Stats struct {
	Received   uint64 // packets accepted from the peer: audio, events, comfort noise
	Lost       uint64 // packets missing in the sequence, given up for lost
	Reordered  uint64 // packets that came out of order, but in time
	Duplicates uint64 // packets that came twice
	Late       uint64 // packets whose time had been filled with silence
	Rejected   [Reasons]uint64
	Digits     uint64        // keys pressed
	Filled     time.Duration // silence put in for audio that was not there
	Jitter     time.Duration // interarrival jitter, RFC 3550 §6.4.1
	RTCP       uint64        // RTCP packets on the RTP port, passed over

	Sent       uint64 // packets sent
	SentBytes  uint64 // their payload
	Skipped    uint64 // frames that the pacer left out
	SendErrors uint64 // packets that the socket refused

	Source netip.AddrPort // the locked source, not valid before the first packet
	SSRC   uint32         // the peer's, when Source is valid
}

// counters are the Stats that are being counted. The reader and the sender
// write, anyone reads.
type counters struct {
	received, lost, reordered, duplicates, late atomic.Uint64
	rejected                                    [Reasons]atomic.Uint64
	digits, filled, jitter, rtcp                atomic.Uint64 // filled in bytes, jitter in samples × 16
	sent, sentBytes, skipped, sendErrors        atomic.Uint64
}
