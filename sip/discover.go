package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/sip/naptr"
)

// errNoService says that a domain decidedly has no such service (RFC 2782).
var errNoService = errors.New("the domain says that it takes no calls over this transport")

// discover finds the servers of a domain and how they are reached, where neither is
// told: by NAPTR records, else by the first transport that has SRV records (RFC 3263
// §4.1). secure allows TLS only. An error beside servers says that there may be others.
func (s *Server) discover(ctx context.Context, domain string, secure bool) ([]target, error) {
	found, failed := s.byNAPTR(ctx, domain, secure)
	networks := []string{"TLS"}
	if !secure {
		networks = slices.DeleteFunc([]string{"UDP", "TCP"}, func(n string) bool { return !s.speaks(n) })
	}
	for _, network := range networks {
		if len(found) > 0 {
			break
		}
		var err error
		found, err = s.servers(ctx, domain, network)
		failed = worse(failed, err)
	}
	return found, failed
}

// speaks reports whether requests can be sent over a transport.
func (s *Server) speaks(network string) bool { return network != "UDP" || len(s.packets) > 0 }

// byNAPTR returns the servers that the NAPTR records of a domain lead to.
func (s *Server) byNAPTR(ctx context.Context, domain string, secure bool) ([]target, error) {
	records, err := s.cfg.Resolver.LookupNAPTR(ctx, domain)
	failed := s.asked(ctx, askNAPTR, err)
	var found []target
	var order uint16
	for _, r := range records[:min(len(records), mostTargets)] {
		if len(found) > 0 && r.Order != order {
			break // RFC 3403 §4.1: nothing of a higher order once one has matched
		}
		network, ok := s.offered(r, secure)
		if !ok {
			continue
		}
		var more []target
		if strings.EqualFold(r.Flags, "s") {
			more, err = s.service(ctx, network, "", "", r.Replacement, domain)
		} else {
			more, err = s.hosts(ctx, network, r.Replacement, domain, portOf(gosip.Uri{}, network))
		}
		if err != nil {
			s.log.Debug().Err(err).Str("domain", domain).Str("service", r.Service).Msg("service of a NAPTR record not found")
			failed = worse(failed, err)
		}
		if len(more) > 0 {
			order = r.Order
			found = append(found, more...)
		}
	}
	return found, failed
}

// naptrServices are the services by which a server is reached (RFC 3263 §4.1, §10).
var naptrServices = map[string]string{"SIP+D2U": "UDP", "SIP+D2T": "TCP", "SIPS+D2T": "TLS"}

// offered returns the transport that a record is about. ok is false for records that
// are of no use: other services and transports, what is not secure enough, and rules
// that make a URI of ours another ("u", or a regular expression), which is for numbers,
// not for servers.
func (s *Server) offered(r naptr.Record, secure bool) (network string, ok bool) {
	network, ok = naptrServices[strings.ToUpper(r.Service)]
	terminal := strings.EqualFold(r.Flags, "s") || strings.EqualFold(r.Flags, "a")
	return network, ok && terminal && r.Regexp == "" && r.Replacement != "" && s.speaks(network) && (network == "TLS" || !secure)
}

// srvServices are the names of SRV records (RFC 3263 §4.1).
var srvServices = map[string][2]string{"UDP": {"sip", "udp"}, "TCP": {"sip", "tcp"}, "TLS": {"sips", "tcp"}}

// servers asks for the SRV records of a domain.
func (s *Server) servers(ctx context.Context, domain, network string) ([]target, error) {
	service, ok := srvServices[network]
	if !ok {
		return nil, fmt.Errorf("transport %q is not supported: udp, tcp and tls are", network)
	}
	return s.service(ctx, network, service[0], service[1], domain, domain)
}

// service asks for SRV records and the addresses of the servers that they name. The
// certificates of these must be for domain.
func (s *Server) service(ctx context.Context, network, service, proto, name, domain string) ([]target, error) {
	_, records, err := s.cfg.Resolver.LookupSRV(ctx, service, proto, name)
	if len(records) == 0 { // some may be good although others are not
		return nil, s.asked(ctx, askSRV, err)
	}
	var found []target
	var failed error
	for _, r := range records[:min(len(records), mostTargets)] {
		host := strings.TrimSuffix(r.Target, ".")
		if host == "" { // RFC 2782: decidedly not available
			failed = errNoService
			continue
		}
		// RFC 5922 §4: the certificate is the domain's, not the server's.
		hosts, err := s.hosts(ctx, network, host, domain, r.Port)
		failed = worse(failed, err)
		found = append(found, hosts...)
	}
	return found, failed
}

// hosts asks for the addresses of a name, by A and AAAA, and returns those that
// can be reached over network.
func (s *Server) hosts(ctx context.Context, network, name, host string, port uint16) ([]target, error) {
	addrs, err := s.cfg.Resolver.LookupNetIP(ctx, "ip", name)
	if err := s.asked(ctx, askHost, err); err != nil {
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
