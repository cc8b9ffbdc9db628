package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// reach finds or opens a link to t.
func (s *Server) reach(ctx context.Context, t target) (link, error) {
	addr := t.addr
	switch t.network {
	case "UDP":
		for _, u := range s.packets {
			if u.speaks(addr.Addr()) {
				return link{u, addr}, nil
			}
		}
	case "TCP", "TLS":
		if st := s.streams.to(t); st != nil && st.open() {
			return link{st, addr}, nil
		}
		st, err := s.connect(ctx, t)
		if err != nil {
			return link{}, err
		}
		if err := s.attach(st); err != nil {
			return link{}, err
		}
		return link{st, addr}, nil
	}
	return link{}, fmt.Errorf("sip: no %s socket for %v: add one to listen", t.network, addr)
}

// speaks reports whether the socket's address family is addr's.
func (u *udpSocket) speaks(addr netip.Addr) bool {
	own := u.addr.Addr()
	if own.Is6() && own.IsUnspecified() {
		return true // dual stack
	}
	return own.Is4() == addr.Is4()
}

// address returns what l's peer is told to reach us at.
func (s *Server) address(l link) netip.AddrPort {
	own := l.local()
	port := own.Port()
	if l.reliable() {
		// A connection that we opened has a port that nobody listens on.
		for _, ln := range s.listeners {
			if ln.secure != (l.network() == "TLS") {
				continue
			}
			port = addrPort(ln.Addr()).Port()
			if port == own.Port() {
				break
			}
		}
	}
	return netip.AddrPortFrom(s.advertised(l), port)
}

// advertised returns the IP address that l's peer is told to reach us at.
func (s *Server) advertised(l link) netip.Addr {
	if ext := s.cfg.ExternalIP; ext.IsValid() && ext.Is4() == l.remote.Addr().Is4() {
		return ext
	}
	return facing(l.local().Addr(), l.remote)
}

// facing returns own, or when it is unspecified the address that packets to
// remote leave from. Connecting a datagram socket sends nothing.
func facing(own netip.Addr, remote netip.AddrPort) netip.Addr {
	if !own.IsUnspecified() {
		return own
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(remote))
	if err != nil {
		return own
	}
	defer conn.Close()
	return addrPort(conn.LocalAddr()).Addr()
}
