package rtp

import (
	"net/netip"
	"time"
)

// ReportConn is the socket of a session's RTCP: what [Pair.Reports] returns, or a
// test's own.
type ReportConn interface {
	// Poll reads into b a packet that is there already and says when it came, which
	// round trips are measured by. It does not wait: without one, the error is
	// os.ErrDeadlineExceeded.
	Poll(b []byte) (n int, from netip.AddrPort, at time.Time, err error)
	// WriteToUDPAddrPort sends b as one packet.
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
}
