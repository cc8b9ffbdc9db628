package rtp

import (
	"net/netip"
	"time"
)

const (
	// restartPackets in a row, over at least restartTime, make a new SSRC from
	// the locked address the stream. A peer that restarted its stream sends
	// nothing else; who guesses the address is interrupted by the peer.
	restartPackets = 3
	restartTime    = 35 * time.Millisecond
	// provisional is how many packets a source that SDP did not name must bring
	// until the one that SDP named no longer takes its place.
	provisional = 25
	// moving is how long after a new SDP address the old source may go on
	// without being locked to again.
	moving = time.Second
)

// verdict is what a lock says about a packet.
type verdict uint8

const (
	admitted      verdict = iota
	admittedNew           // and it begins another stream
	strangeAddr           // rejected: not the peer's address
	strangeStream         // rejected: not the peer's stream
)

// lock decides whose packets are the peer's. Peers send from other addresses
// than SDP says (NAT, several interfaces), so the first valid packet tells the
// source; from then on nobody else is heard. The zero value is unlocked.
type lock struct {
	signalled netip.AddrPort // where SDP says the peer receives
	source    netip.AddrPort
	ssrc      uint32
	locked    bool
	packets   int       // admitted since locked, up to provisional
	until     time.Time // while moving: when the old source is locked to again

	candidate struct { // a stream that may take over
		ssrc  uint32
		next  uint16
		count int
		since time.Time
	}
}

// resignal notes the address of a new description. Another one than before
// opens the lock; none, as on hold, does not.
func (l *lock) resignal(now time.Time, signalled netip.AddrPort) {
	if !signalled.IsValid() || signalled == l.signalled {
		return
	}
	l.signalled = signalled
	if l.locked {
		l.locked = false
		l.until = now.Add(moving)
	}
}

// strange reports whether nothing from there is admitted, whatever it says.
func (l *lock) strange(from netip.AddrPort) bool {
	return l.locked && from != l.source && (from != l.signalled || l.packets >= provisional)
}

// admit decides about a packet that is valid in itself.
func (l *lock) admit(now time.Time, from netip.AddrPort, p *packet) verdict {
	if !l.locked {
		// What the old source still sends while the peer moves is heard, but
		// does not close the lock against the new one.
		if from == l.source && now.Before(l.until) && from != l.signalled {
			return l.stream(now, p)
		}
		return l.take(from, p)
	}
	if l.strange(from) {
		return strangeAddr
	}
	if from != l.source {
		return l.take(from, p)
	}
	v := l.stream(now, p)
	if v <= admittedNew && l.packets < provisional {
		l.packets++
	}
	return v
}

// take locks to the packet's source.
func (l *lock) take(from netip.AddrPort, p *packet) verdict {
	same := from == l.source && p.ssrc == l.ssrc
	l.source, l.ssrc, l.locked, l.packets = from, p.ssrc, true, 1
	l.candidate.count = 0
	if same {
		return admitted
	}
	return admittedNew
}

// stream decides about a packet from the right address by its SSRC.
func (l *lock) stream(now time.Time, p *packet) verdict {
	c := &l.candidate
	if p.ssrc == l.ssrc {
		c.count = 0
		return admitted
	}
	if c.count == 0 || c.ssrc != p.ssrc || c.next != p.sequence {
		c.ssrc, c.count, c.since = p.ssrc, 0, now
	}
	c.next = p.sequence + 1
	c.count++
	if c.count < restartPackets || now.Sub(c.since) < restartTime {
		return strangeStream
	}
	l.ssrc, c.count = p.ssrc, 0
	return admittedNew
}
