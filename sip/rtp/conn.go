package rtp

import (
	"net/netip"
	"time"
)

// Conn is the socket of a session: a *net.UDPConn, a [Pair], or a test's own.
type Conn interface {
	// ReadFromUDPAddrPort reads one packet into b.
	ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	// WriteToUDPAddrPort sends b as one packet. It must not block for long: the
	// pacer calls it.
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	// SetReadDeadline makes pending and later reads fail with
	// os.ErrDeadlineExceeded from t on.
	SetReadDeadline(t time.Time) error
}
