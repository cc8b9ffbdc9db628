package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/sdp"
)

// trunks returns the trunks, the one with the most specific network first: the first
// that contains a source takes its calls.
func trunks(byName map[string]*config.Trunk) ([]sip.Trunk, error) {
	var out []sip.Trunk
	for name, t := range byName {
		policy, err := sdp.ParseSRTP(t.SRTP)
		if err != nil {
			return nil, fmt.Errorf("sip.trunks.%s.srtp: %w", name, err)
		}
		transfer, err := sip.ParseTransferMode(t.Transfer)
		if err != nil {
			return nil, fmt.Errorf("sip.trunks.%s.transfer: %w", name, err)
		}
		out = append(out, sip.Trunk{
			Name: name, From: t.From, Codecs: t.Codecs, SRTP: policy, Transfer: transfer, CallerID: t.CallerID,
			Caller: sip.Credentials{Username: t.Username, Password: t.Password.Reveal()},
			Server: string(t.Server), Proxy: string(t.Proxy),
			Login:    sip.Credentials{Username: t.Login.Username, Password: t.Login.Password.Reveal()},
			Register: registration(t.Register), Keepalive: t.Keepalive,
			MaxCalls: t.MaxCalls, CallsPerSecond: t.CallsPerSecond, Country: t.Country,
			Headers: t.Headers, Strip: t.Strip, CA: t.TLS.CA, ClientCert: t.TLS.ClientCert,
		})
	}
	slices.SortFunc(out, func(a, b sip.Trunk) int {
		return cmp.Or(cmp.Compare(narrowest(b), narrowest(a)), strings.Compare(a.Name, b.Name))
	})
	return out, nil
}

func registration(r *config.Register) *sip.Register {
	if r == nil {
		return nil
	}
	return &sip.Register{
		Server: string(r.Server), User: r.User, Expires: r.Expires,
		Login: sip.Credentials{Username: r.Username, Password: r.Password.Reveal()},
	}
}

// upper spells names as protocols do.
func upper(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strings.ToUpper(name)
	}
	return out
}

// narrowest returns the most bits that a network of the trunk fixes.
func narrowest(t sip.Trunk) int {
	bits := 0
	for _, p := range t.From {
		bits = max(bits, p.Bits())
	}
	return bits
}

// changeTrunks makes SIP take those trunks. What needs a restart to be there, SIP
// itself, has no trunks yet.
func (g *Gateway) changeTrunks(byName map[string]*config.Trunk) error {
	if g.sip == nil {
		return nil
	}
	list, err := trunks(byName)
	if err == nil {
		err = g.sip.SetTrunks(list)
	}
	if err != nil {
		return fmt.Errorf("sip.trunks: %w", err)
	}
	g.trunks.Store(&byName)
	return nil
}

// unregistered returns the name of a trunk that is to be registered for calls to be
// taken, and is not; "" if there is none.
func (g *Gateway) unregistered() string {
	if g.sip == nil {
		return ""
	}
	known := *g.trunks.Load()
	for _, name := range g.sip.Unregistered() {
		if t := known[name]; t != nil && t.Register != nil && t.Register.Required {
			return name
		}
	}
	return ""
}

// reloadCertificates makes SIP read its certificates again.
func (g *Gateway) reloadCertificates() {
	if g.sip == nil {
		return
	}
	if err := g.sip.ReloadCertificates(); err != nil {
		g.log.Warn().Err(err).Msg("certificates not renewed: the old ones stay in use")
	}
}
