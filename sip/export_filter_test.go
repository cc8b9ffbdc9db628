package sip

import (
	"net"
	"net/netip"
)

// Acquaintances returns with how many sources something is under way.
func (s *Server) Acquaintances() int {
	s.met.mu.Lock()
	defer s.met.mu.Unlock()
	return len(s.met.m)
}

// Datagram takes a datagram as if it had come from an address.
func (s *Server) Datagram(data []byte, from net.IP) {
	addr, _ := netip.AddrFromSlice(from)
	s.datagram(data, link{s.packets[0], netip.AddrPortFrom(addr.Unmap(), 5060)})
}
