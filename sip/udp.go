package sip

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
)

// maxDatagram is the most that UDP can carry (RFC 768).
const maxDatagram = 65535

// udpSocket is one listening datagram socket.
type udpSocket struct {
	conn   net.PacketConn
	addr   netip.AddrPort
	closed atomic.Bool
}

func newUDPSocket(conn net.PacketConn) *udpSocket {
	return &udpSocket{conn: conn, addr: addrPort(conn.LocalAddr())}
}

func (u *udpSocket) network() string       { return "UDP" }
func (u *udpSocket) local() netip.AddrPort { return u.addr }
func (u *udpSocket) open() bool            { return !u.closed.Load() }
func (u *udpSocket) verified() bool        { return false }

func (u *udpSocket) send(b []byte, to netip.AddrPort) error {
	_, err := u.conn.WriteTo(b, net.UDPAddrFromAddrPort(to))
	return err
}

func (u *udpSocket) close() error {
	u.closed.Store(true)
	return u.conn.Close()
}

// read hands each datagram to receive until the socket is closed. The bytes are
// lent for the call's duration only.
func (u *udpSocket) read(receive func(data []byte, from link)) error {
	buf := make([]byte, maxDatagram)
	failures := 0
	for {
		n, from, err := u.conn.ReadFrom(buf)
		if err != nil {
			// What one datagram caused, such as an ICMP error reported late,
			// is no reason to stop listening; a dead socket fails for ever.
			failures++
			switch {
			case u.closed.Load() || errors.Is(err, net.ErrClosed):
				return nil
			case failures > 100:
				return err
			}
			continue
		}
		failures = 0
		receive(buf[:n], link{u, addrPort(from)})
	}
}

// addrPort returns a as the value it is compared by.
func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		ap = a.AddrPort()
	case *net.TCPAddr:
		ap = a.AddrPort()
	default:
		ap, _ = netip.ParseAddrPort(a.String())
	}
	// A dual-stack socket shows IPv4 peers as ::ffff:a.b.c.d.
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
