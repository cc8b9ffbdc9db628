package gateway

import (
	"context"
	"fmt"
	"sync"
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
	trunks, err := trunks(s.Trunks)
	if err != nil {
		return err
	}
	g.reporter = rtp.NewReporter()
	g.sip, err = sip.NewServer(sip.Config{
		Listen:     listeners(s.Listen),
		ExternalIP: s.ExternalIP,
		TLS:        sip.TLS(s.TLS),
		Realm:      s.Realm,
		Digest:     upper(s.Digest),
		Trunks:     trunks,
		Silent:     s.Unknown == "silent",
		Ports:      g.ports,

		MediaTimeout:      orNever(s.MediaTimeout),
		SessionExpires:    orNever(s.SessionExpires),
		MinSessionExpires: s.MinSessionExpires,
		EarlyMedia:        s.EarlyMedia,
		TransferTimeout:   s.TransferTimeout,
		ReferStatus:       s.ReferStatus,

		Pacer:    g.pacer,
		Reporter: g.reporter,
		Handler:  g.serveSIP,
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

// orNever returns a configured time as the legs have it, where 0 is the default and
// never is negative.
func orNever(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

func listeners(list []config.Listen) []sip.Listen {
	out := make([]sip.Listen, len(list))
	for i, l := range list {
		out[i] = sip.Listen{Network: l.Network, Addr: l.Addr}
	}
	return out
}

// runSIP serves SIP, and reports on its audio for as long as there is some.
func (g *Gateway) runSIP(ctx context.Context) error {
	reporting, stop := context.WithCancel(context.WithoutCancel(ctx))
	var reporter sync.WaitGroup
	reporter.Go(func() { _ = g.reporter.Run(reporting) }) // never fails
	err := g.sip.Run(ctx)
	stop()
	reporter.Wait()
	return err
}

// serveSIP carries one INVITE.
func (g *Gateway) serveSIP(ctx context.Context, c *sip.Call) {
	g.serve(ctx, c, dialplan.Call{
		ID: newCallID(), Leg: "sip", Trunk: c.Trunk(), From: c.From(), To: c.To(),
		Header: c.Headers(), At: time.Now(),
	}, terms{carrier: c.ID()})
}
