package sip

import (
	"context"
	"errors"
	"fmt"
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

// errUnanswered says that DNS has not answered: there may be what was asked for.
var errUnanswered = errors.New("DNS does not answer")

// asked returns what came of a question. That there is nothing of the name is an
// answer; all else counts as none.
func (s *Server) asked(ctx context.Context, what question, err error) error {
	var dns *net.DNSError
	if err == nil || ctx.Err() != nil || errors.As(err, &dns) && dns.IsNotFound {
		return err
	}
	s.cfg.Metrics.dnsFailed(what)
	return fmt.Errorf("%w: %w", errUnanswered, err)
}

// worse returns the error that says more of why a server is not found.
func worse(a, b error) error {
	switch {
	case b == nil || errors.Is(a, errUnanswered):
		return a
	case errors.Is(b, errUnanswered) || !errors.Is(a, errNoService):
		return b
	}
	return a
}
