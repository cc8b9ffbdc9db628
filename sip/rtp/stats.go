package rtp

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/callgw/callgw/bridge/media"
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
	RTCP       uint64        // RTCP packets accepted from the peer

	ReceivedBytes uint64 // the payload of packets accepted

	Sent       uint64 // packets sent
	SentBytes  uint64 // their payload
	Skipped    uint64 // frames that the pacer left out
	SendErrors uint64 // packets that the socket refused, or that could not be encrypted
	DigitsLost uint64 // keys not sent because the peer ceased to take them
	Reports    uint64 // RTCP packets sent

	// What the peer's reports say. Reported is false while there was none that
	// names this side's stream; Timed while RoundTrip is not known.
	Reported     bool
	RemoteLoss   float64       // the part of this side's packets lost lately, 0 to 1
	RemoteLost   int           // how many were lost in all; less than 0 with duplicates
	RemoteJitter time.Duration // interarrival jitter at the peer
	Timed        bool
	RoundTrip    time.Duration // RFC 3550 §6.4.1, of the network alone

	// MOS estimates the quality of what came, RemoteMOS, from the peer's reports,
	// that of what it hears: mean opinion scores of 1 to 4.5 by the E-model (ITU-T
	// G.107), 0 while there is nothing to go by. While the round trip is not known,
	// the network's delay counts as none.
	MOS, RemoteMOS float64

	Source netip.AddrPort // the locked source, not valid before the first packet
	SSRC   uint32         // the peer's, when Source is valid
}

// counters are the Stats that are being counted. The reader and the sender
// write, anyone reads.
type counters struct {
	received, lost, reordered, duplicates, late atomic.Uint64
	rejected                                    [Reasons]atomic.Uint64
	digits, filled, jitter, rtcp                atomic.Uint64 // filled in bytes, jitter in samples × 16
	missed, receivedBytes                       atomic.Uint64 // missed: packets whose time was filled
	sent, sentBytes, skipped, sendErrors        atomic.Uint64
	digitsLost, reports                         atomic.Uint64

	reported, timed atomic.Bool
	remoteFraction  atomic.Uint32 // of 256
	remoteLost      atomic.Int32
	remoteJitter    atomic.Uint32 // samples
	roundTrip       atomic.Int64
}

// stats returns what was counted; ptime is the packet time of both ways.
func (c *counters) stats(ptime time.Duration) Stats {
	s := Stats{
		Received:      c.received.Load(),
		Lost:          c.lost.Load(),
		Reordered:     c.reordered.Load(),
		Duplicates:    c.duplicates.Load(),
		Late:          c.late.Load(),
		Digits:        c.digits.Load(),
		Filled:        media.Duration(int64(c.filled.Load())),
		Jitter:        time.Duration(c.jitter.Load()) * sample / 16,
		RTCP:          c.rtcp.Load(),
		ReceivedBytes: c.receivedBytes.Load(),
		Sent:          c.sent.Load(),
		SentBytes:     c.sentBytes.Load(),
		Skipped:       c.skipped.Load(),
		SendErrors:    c.sendErrors.Load(),
		DigitsLost:    c.digitsLost.Load(),
		Reports:       c.reports.Load(),
		Reported:      c.reported.Load(),
		RemoteLoss:    float64(c.remoteFraction.Load()) / 256,
		RemoteLost:    int(c.remoteLost.Load()),
		RemoteJitter:  time.Duration(c.remoteJitter.Load()) * sample,
		Timed:         c.timed.Load(),
		RoundTrip:     time.Duration(c.roundTrip.Load()),
	}
	for i := range s.Rejected {
		s.Rejected[i] = c.rejected[i].Load()
	}
	if s.Received > 0 {
		loss := float64(c.missed.Load()) / float64(s.Received+s.Lost)
		s.MOS = mos(loss, silenced, ptime+s.RoundTrip/2)
	}
	if s.Reported {
		// The peer has a jitter buffer, of twice the jitter or so.
		s.RemoteMOS = mos(s.RemoteLoss, concealed, ptime+s.RoundTrip/2+2*s.RemoteJitter)
	}
	return s
}
