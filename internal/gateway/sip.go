package gateway

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/rtp"
)

// bindSIP listens for SIP if the configuration has trunks.
func (g *Gateway) bindSIP() error {
	s := g.cfg.SIP
	if len(s.Listen) == 0 {
		return nil
	}
	var err error
	if g.ports, err = rtp.NewPorts(rtp.PortsConfig{Min: s.RTP.Ports.First, Max: s.RTP.Ports.Last}); err != nil {
		return fmt.Errorf("sip.rtp.ports: %w", err)
	}
	g.sip, err = sip.NewServer(sip.Config{
		Listen:     listeners(s.Listen),
		ExternalIP: s.ExternalIP,
		Trunks:     trunks(s.Trunks),
		Ports:      g.ports,
		Pacer:      g.pacer,
		Handler:    g.serveSIP,
		Rejected: func(trunk string, cause media.Cause) {
			g.countRejected("sip", trunk, cause)
		},
		Log:     g.log,
		Metrics: sip.NewMetrics(g.metrics),
	})
	if err != nil {
		return fmt.Errorf("sip.listen: %w", err)
	}
	return nil
}

func listeners(list []config.Listen) []sip.Listen {
	out := make([]sip.Listen, len(list))
	for i, l := range list {
		out[i] = sip.Listen{Network: l.Network, Addr: l.Addr}
	}
	return out
}

// trunks returns one trunk for each network, the most specific first: the first
// that contains a source takes its calls.
func trunks(byName map[string]*config.Trunk) []sip.Trunk {
	var out []sip.Trunk
	for name, t := range byName {
		out = append(out, sip.Trunk{Name: name, From: t.From, Codecs: t.Codecs})
	}
	slices.SortFunc(out, func(a, b sip.Trunk) int {
		return cmp.Or(cmp.Compare(narrowest(b), narrowest(a)), strings.Compare(a.Name, b.Name))
	})
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

// serveSIP carries one INVITE.
func (g *Gateway) serveSIP(ctx context.Context, c *sip.Call) {
	g.serve(ctx, c, dialplan.Call{
		ID: newCallID(), Leg: "sip", Trunk: c.Trunk(), From: c.From(), To: c.To(),
		Header: c.Headers(), At: time.Now(),
	}, c.ID())
}
