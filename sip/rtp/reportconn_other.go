//go:build !linux

package rtp

import (
	"net"
	"net/netip"
	"time"
)

// reportConn polls a socket by a short wait. When a packet came is known no better
// than when it is read: round trips are up to a second too long.
type reportConn struct{ *net.UDPConn }

func newReportConn(c *net.UDPConn) ReportConn { return reportConn{c} }

func (r reportConn) Poll(b []byte) (n int, from netip.AddrPort, at time.Time, err error) {
	if err := r.SetReadDeadline(time.Now().Add(look)); err != nil {
		return 0, netip.AddrPort{}, time.Time{}, err
	}
	n, from, err = r.ReadFromUDPAddrPort(b)
	return n, from, time.Now(), err
}
