package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/gateway"
	"github.com/callgw/callgw/sip"
)

// asked tells whether there is a server that a trunk can be asked at.
func asked(t *config.Trunk) bool { return t.Server != "" || t.Register != nil }

// probeTrunk asks a trunk's server whether it lives and says what it answers.
func probeTrunk(ctx context.Context, cfg *config.Config, name string) (string, error) {
	h, err := gateway.ProbeTrunk(ctx, cfg, name)
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, trunkRemedy(err, name))
	}
	t := cfg.SIP.Trunks[name]
	answer := fmt.Sprintf("%d %s over %s from %v", h.Status, h.Reason, h.Network, h.Server)
	round := fmt.Sprintf(" (round trip %v)", h.RoundTrip.Round(100*time.Microsecond))
	switch login := t.Login.Username != "" || t.Register != nil; {
	case h.Status < 300:
		return answer + round, nil
	case login && (h.Status == 401 || h.Status == 407):
		return "", fmt.Errorf("%s: it refuses the login: check user name and password of sip.trunks.%s", answer, name)
	case h.Status == 401 || h.Status == 407:
		return answer + ": it lives, and wants a login that sip.trunks." + name + " has not" + round, nil
	case h.Status == 403:
		return answer + ": it lives, and refuses who asks from this address and port" + round, nil
	}
	return answer + ": it lives" + round, nil
}

// trunkRemedy says what to do about a server that does not answer as it should.
func trunkRemedy(err error, name string) string {
	var (
		refused   *sip.StatusError
		unknown   x509.UnknownAuthorityError
		other     x509.HostnameError
		nameless  *net.DNSError
		connected *net.OpError
	)
	switch {
	case errors.As(err, &refused):
		return "it is there, and takes no calls now"
	case errors.As(err, &unknown):
		return "name the authority of its certificate in sip.trunks." + name + ".tls.ca"
	case errors.As(err, &other):
		return "its certificate must be for the host in sip.trunks." + name + ".server"
	case errors.As(err, &nameless):
		return "is the name right, and does DNS know it?"
	case errors.As(err, &connected):
		return "are host, port and transport right, and does it listen there?"
	case errors.Is(err, sip.ErrNoAnswer), errors.Is(err, errLate):
		return "is the address right, does a firewall let it through, and does it answer those that it does not know?"
	}
	return "check server, proxy and transport of sip.trunks." + name
}
