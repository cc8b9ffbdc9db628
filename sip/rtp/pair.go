package rtp

import (
	"errors"
	"net"
	"net/netip"
	"sync"
)

// Pair is an open pair of sockets: itself the [Conn] of RTP, with RTCP's beside
// it.
type Pair struct {
	*net.UDPConn
	rtcp  *net.UDPConn
	port  uint16
	ports *Ports
	once  sync.Once
	err   error
}

// Port returns the local RTP port, for the SDP.
func (p *Pair) Port() uint16 { return p.port }

// RTCP returns the socket of the next odd port.
func (p *Pair) RTCP() *net.UDPConn { return p.rtcp }

// Reports returns that socket for a session's reports. Without a reporter nobody
// reads it; it is bound so that nobody else gets it.
func (p *Pair) Reports() ReportConn { return newReportConn(p.rtcp) }

// ReadFromUDPAddrPort reads one packet; an IPv4 peer's address is an IPv4
// address whatever the socket's family.
func (p *Pair) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := p.UDPConn.ReadFromUDPAddrPort(b)
	return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
}

// Close closes both sockets and lets the port rest. It may be called more than
// once.
func (p *Pair) Close() error {
	p.once.Do(func() {
		p.err = errors.Join(p.UDPConn.Close(), p.rtcp.Close())
		p.ports.closed(p)
	})
	return p.err
}
