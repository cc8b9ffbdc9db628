package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

// Resolver finds the addresses of a host and the servers of a domain: what
// *net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*net.SRV, err error)
}

// target is a server that a request may be sent to.
type target struct {
	network string // UDP, TCP or TLS
	addr    netip.AddrPort
	host    string // the name that its certificate must bear (RFC 5922 §4)
}

// mostTargets bounds what DNS can make of one URI.
const mostTargets = 16

// targets returns the servers that uri names, in the order in which they are to be
// tried (RFC 3263 §4), at least one. NAPTR records are not asked for: the
// transport that uri does not tell is that of known, else the first for which
// there are SRV records.
func (s *Server) targets(ctx context.Context, uri gosip.Uri, known link) ([]target, error) {
	host := strings.Trim(uri.Host, "[]")
	if maddr, ok := uri.UriParams.Get("maddr"); ok {
		host = strings.Trim(maddr, "[]")
	}
	network, told := transportOf(uri, known)
	if addr, err := netip.ParseAddr(host); err == nil {
		return []target{{network, netip.AddrPortFrom(addr.Unmap(), portOf(uri, network)), host}}, nil
	}
	var found []target
	var err error
	if uri.Port <= 0 { // §4.2: a port means that there is no choice
		networks := []string{network}
		if !told {
			networks = s.networks()
		}
		found, err = s.servers(ctx, host, networks)
	}
	if len(found) == 0 {
		var hosts []target
		hosts, err = s.hosts(ctx, network, host, host, portOf(uri, network))
		found = append(found, hosts...)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("sip: resolve %s: %w", host, err)
	}
	found = found[:min(len(found), mostTargets)]
	s.shunned.last(found, time.Now())
	return found, nil
}

// networks are the transports of a sip URI that tells none, best first.
func (s *Server) networks() []string {
	all := []string{"TCP"}
	if len(s.packets) > 0 {
		all = []string{"UDP", "TCP"}
	}
	return all
}

var services = map[string][2]string{"UDP": {"sip", "udp"}, "TCP": {"sip", "tcp"}, "TLS": {"sips", "tcp"}}

// servers asks for the SRV records of a domain. The resolver has them in the order
// of priority, and at random by weight among equals (RFC 2782).
func (s *Server) servers(ctx context.Context, domain string, networks []string) ([]target, error) {
	var found []target
	var failed error
	for _, network := range networks {
		service := services[network]
		_, records, err := s.cfg.Resolver.LookupSRV(ctx, service[0], service[1], domain)
		if err != nil {
			failed = err
			continue
		}
		for _, r := range records {
			name := strings.TrimSuffix(r.Target, ".")
			if name == "" {
				continue // RFC 2782: decidedly not available
			}
			// RFC 5922 §4: the certificate is the domain's, not the server's.
			hosts, err := s.hosts(ctx, network, name, domain, r.Port)
			if err != nil {
				failed = err
				continue
			}
			found = append(found, hosts...)
		}
		if len(found) > 0 {
			break // RFC 3263 §4.1: the first transport that has any
		}
	}
	return found, failed
}

// hosts asks for the addresses of a name, by A and AAAA, and returns those that
// can be reached over network.
func (s *Server) hosts(ctx context.Context, network, name, host string, port uint16) ([]target, error) {
	addrs, err := s.cfg.Resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, err
	}
	var found []target
	for _, addr := range addrs {
		addr = addr.Unmap()
		if network == "UDP" && !slices.ContainsFunc(s.packets, func(u *udpSocket) bool { return u.speaks(addr) }) {
			continue
		}
		found = append(found, target{network, netip.AddrPortFrom(addr, port), host})
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no address that can be reached over %s", name, network)
	}
	return found, nil
}

// portOf returns uri's port, or the transport's own.
func portOf(uri gosip.Uri, network string) uint16 {
	switch {
	case 0 < uri.Port && uri.Port <= 65535:
		return uint16(uri.Port)
	case network == "TLS":
		return uint16(gosip.DefaultTlsPort)
	}
	return uint16(gosip.DefaultUdpPort)
}

// transportOf returns the transport that uri asks for, else that of known, else
// UDP; told is false when it is neither uri's nor known's word.
func transportOf(uri gosip.Uri, known link) (network string, told bool) {
	network, told = uri.UriParams.Get("transport")
	network = strings.ToUpper(network)
	switch {
	case uri.IsEncrypted():
		return "TLS", true // RFC 3261 §19.1: over TLS on every hop
	case told:
		return network, true
	case known.hop != nil:
		return known.network(), true
	}
	return "UDP", false
}

// shunTime is how long a server that did not answer is tried last.
const shunTime = time.Minute

// shunned are the servers that did not answer lately, so that not every call has
// to find out anew.
type shunned struct {
	mu    sync.Mutex
	until map[netip.AddrPort]time.Time
}

func (s *shunned) add(addr netip.AddrPort, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for a, t := range s.until {
		if now.After(t) {
			delete(s.until, a)
		}
	}
	if s.until == nil {
		s.until = make(map[netip.AddrPort]time.Time)
	}
	s.until[addr] = now.Add(shunTime)
}

// last moves those of targets that are shunned to the end.
func (s *shunned) last(targets []target, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bad := func(t target) int {
		if until, ok := s.until[t.addr]; ok && now.Before(until) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(targets, func(a, b target) int { return bad(a) - bad(b) })
}
