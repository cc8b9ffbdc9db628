package sip

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/callgw/callgw/sip/naptr"
)

// Resolver finds the addresses of a host, the servers of a service, and by which
// services a domain takes calls. Records come in the order of their priority, SRV
// records at random by weight among equals (RFC 2782).
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	// LookupSRV looks name itself up when service and proto are empty.
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*net.SRV, err error)
	// LookupNAPTR returns no records and no error when there are none.
	LookupNAPTR(ctx context.Context, domain string) ([]naptr.Record, error)
}

// systemResolver asks the servers of this machine.
type systemResolver struct {
	*net.Resolver
	*naptr.Client
}

func newSystemResolver() Resolver {
	return systemResolver{net.DefaultResolver, naptr.NewClient(naptr.Config{})}
}

// question is what DNS is asked for.
type question uint8

const (
	askNAPTR question = iota
	askSRV
	askHost
	questions
)

var questionNames = [questions]string{"naptr", "srv", "host"}

// asked counts a question that DNS could not answer: that there is nothing of the name
// is an answer. It returns err.
func (s *Server) asked(ctx context.Context, what question, name string, err error) error {
	var dns *net.DNSError
	if err == nil || ctx.Err() != nil || errors.As(err, &dns) && dns.IsNotFound {
		return err
	}
	s.cfg.Metrics.dnsFailed(what)
	if what != askHost { // of which the caller tells: nothing can be done without
		s.rare.Warn().Err(err).Str("name", name).Str("type", questionNames[what]).Msg("DNS does not answer: going on without")
	}
	return err
}
