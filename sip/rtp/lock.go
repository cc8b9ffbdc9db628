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
	// reclaim is how long after the lock closed on another source the one that
	// SDP named takes its place with a single packet. Later it has to bring a
	// whole stream: a stray packet ends no call that goes well.
	reclaim = 5 * time.Second
	// moving is how long after a new SDP address the old source may go on
	// without being locked to again.
	moving = time.Second
	// absence is how long the source has sent nothing when its stream may go on
	// from another address: a NAT has given the peer another port. While the
	// source is there, no one takes its place.
	absence = 2 * time.Second
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
// source; from then on nobody else is heard but the address that SDP says: what
// a stranger sends before the peer's first packet, however much, must not keep
// the peer out. The zero value is unlocked.
type lock struct {
	signalled netip.AddrPort // where SDP says the peer receives
	source    netip.AddrPort
	ssrc      uint32
	locked    bool
	since     time.Time // when it closed
	heard     time.Time // when the source's last packet came
	last      uint16    // its sequence number
	until     time.Time // while moving: when the old source is locked to again
	restart   candidate // another stream of the source's
	claim     candidate // a stream of the signalled address, or of one the peer may have moved to
}

// candidate is a stream that may take over.
type candidate struct {
	ssrc  uint32
	next  uint16
	count int
	since time.Time
}

// proves takes a packet of another stream than the present one, and reports
// whether it makes up a stream with those before.
func (c *candidate) proves(now time.Time, p *packet) bool {
	if c.count == 0 || c.ssrc != p.ssrc || c.next != p.sequence {
		c.ssrc, c.count, c.since = p.ssrc, 0, now
	}
	c.next = p.sequence + 1
	c.count++
	return c.count >= restartPackets && now.Sub(c.since) >= restartTime
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
func (l *lock) strange(now time.Time, from netip.AddrPort) bool {
	return l.locked && from != l.source && from != l.signalled && now.Sub(l.heard) < absence
}

// admit decides about a packet that is valid in itself. An authentic one can only
// be the peer's (RFC 3711 §3.3).
func (l *lock) admit(now time.Time, from netip.AddrPort, p *packet, authentic bool) verdict {
	v := l.judge(now, from, p, authentic)
	if v == admitted || v == admittedNew {
		l.heard, l.last = now, p.sequence
	}
	return v
}

func (l *lock) judge(now time.Time, from netip.AddrPort, p *packet, authentic bool) verdict {
	if !l.locked {
		// What the old source still sends while the peer moves is heard, but
		// does not close the lock against the new one.
		if from == l.source && now.Before(l.until) && from != l.signalled {
			return l.stream(now, p)
		}
		return l.take(now, from, p)
	}
	switch {
	case l.strange(now, from):
		return strangeAddr
	case from == l.source:
		return l.stream(now, p)
	case from != l.signalled && !authentic && !l.continues(p):
		return strangeAddr
	case from == l.signalled && now.Sub(l.since) < reclaim || l.claim.proves(now, p):
		return l.take(now, from, p)
	}
	return strangeAddr
}

// continues reports whether the packet goes on with the stream: who has not seen it
// knows neither its SSRC nor how far it is.
func (l *lock) continues(p *packet) bool {
	step := p.sequence - l.last
	return p.ssrc == l.ssrc && 0 < step && step < maxDropout
}

// take locks to the packet's source.
func (l *lock) take(now time.Time, from netip.AddrPort, p *packet) verdict {
	same := from == l.source && p.ssrc == l.ssrc
	l.source, l.ssrc, l.locked, l.since = from, p.ssrc, true, now
	l.restart, l.claim = candidate{}, candidate{}
	if same {
		return admitted
	}
	return admittedNew
}

// stream decides about a packet from the right address by its SSRC.
func (l *lock) stream(now time.Time, p *packet) verdict {
	switch {
	case p.ssrc == l.ssrc:
		l.restart.count = 0
		return admitted
	case !l.restart.proves(now, p):
		return strangeStream
	}
	l.ssrc, l.restart.count = p.ssrc, 0
	return admittedNew
}
