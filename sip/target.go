package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

// target is a server that a request may be sent to.
type target struct {
	network string // UDP, TCP or TLS
	addr    netip.AddrPort
	host    string // the name that its certificate must bear (RFC 5922 §4)
}

// mostTargets bounds what DNS can make of one URI.
const mostTargets = 16

// targets returns the servers that uri names, in the order in which they are to be
// tried (RFC 3263 §4), at least one. The transport that uri does not tell is that of
// known, else what DNS says.
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
	switch {
	case uri.Port > 0: // §4.1, §4.2: a port means that there is no choice
	case told:
		found, err = s.servers(ctx, host, network)
	default:
		found, err = s.discover(ctx, host, uri.IsEncrypted())
	}
	if len(found) == 0 && !errors.Is(err, errNoService) {
		hosts, failed := s.hosts(ctx, network, host, host, portOf(uri, network))
		found, err = hosts, worse(err, failed)
	}
	now, to := time.Now(), whitherTo(uri, network, host, told)
	switch last := s.lastKnown.of(to, now); {
	case ctx.Err() != nil:
	case !errors.Is(err, errUnanswered):
		s.lastKnown.keep(to, found, now)
	case len(last) > 0:
		s.rare.Warn().Err(err).Str("host", host).Msg("DNS does not answer: servers as last known")
		found = last
	case len(found) > 0:
		s.rare.Warn().Err(err).Str("host", host).Msg("DNS does not answer: going on without")
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("sip: resolve %s: %w", host, err)
	}
	found = found[:min(len(found), mostTargets)]
	s.shunned.last(found, now)
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

// transportOf returns the transport that uri asks for, else that of known, else the
// one of its scheme; told is false when it is neither uri's nor known's word.
func transportOf(uri gosip.Uri, known link) (network string, told bool) {
	network, told = uri.UriParams.Get("transport")
	network = strings.ToUpper(network)
	switch {
	case uri.IsEncrypted():
		return "TLS", told || known.hop != nil // RFC 3261 §19.1: over TLS on every hop
	case told:
		return network, true
	case known.hop != nil:
		return known.network(), true
	}
	return "UDP", false
}
