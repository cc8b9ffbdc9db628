package sip

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

// Health is how the server of a trunk has answered.
type Health struct {
	Server  netip.AddrPort // that has answered, of those that DNS names
	Network string         // by which: "UDP", "TCP" or "TLS"
	Status  int            // of its answer
	Reason  string         // its phrase
	// RoundTrip is from the request until the answer, challenges included and
	// neither DNS nor connecting.
	RoundTrip time.Duration
}

// Probe asks the server of a trunk once, by way of the trunk's proxy if it has one,
// whether it lives (OPTIONS, RFC 3261 §11), as keep-alives do. Every answer but 408 and
// 503 is that of a living server; these are a [StatusError]. Else an error says why
// there is none: the name, the connection, the certificate, silence.
func (s *Server) Probe(ctx context.Context, trunk string) (Health, error) {
	t, err := s.trunks.named(trunk)
	if err != nil {
		return Health{}, err
	}
	return s.probe(ctx, t)
}

func (s *Server) probe(ctx context.Context, t *trunk) (Health, error) {
	uri, err := parseURI(t.Server)
	if err != nil {
		return Health{}, fmt.Errorf("sip: probe: trunk %s has no server", t.Name)
	}
	var sent time.Time
	res, _, to, err := s.submit(ctx, t.next(uri), inquiry{login: t.Login, limit: keepaliveLimit}, func(to link) *gosip.Request {
		sent = time.Now()
		return s.outside(t, gosip.OPTIONS, uri, gosip.Uri{Scheme: uri.Scheme, User: "callgw", Host: s.contact(to).Address.Host}, to)
	})
	switch {
	case err != nil && to.hop == nil:
		return Health{}, err
	case err != nil:
		return Health{}, fmt.Errorf("sip: probe %v over %s: %w", to.remote, to.network(), err)
	}
	h := Health{Server: to.remote, Network: to.network(), Status: res.StatusCode, Reason: res.Reason, RoundTrip: time.Since(sent)}
	if res.StatusCode == gosip.StatusRequestTimeout || res.StatusCode == gosip.StatusServiceUnavailable {
		return h, refused(res)
	}
	return h, nil
}
