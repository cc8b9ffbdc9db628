package gateway

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/rtp"
)

// ProbeTrunk asks the server of a trunk whether it lives, from the addresses on which
// the gateway listens and ports of its own, so that the gateway may be running or not.
// It registers nothing, and takes no calls.
func ProbeTrunk(ctx context.Context, cfg *config.Config, name string) (sip.Health, error) {
	ports, err := rtp.NewPorts(rtp.PortsConfig{})
	if err != nil {
		return sip.Health{}, err
	}
	all, err := trunks(cfg.SIP.Trunks)
	if err != nil {
		return sip.Health{}, err
	}
	asker, err := sip.NewServer(sip.Config{
		Listen: beside(cfg.SIP.Listen), TLS: sip.TLS(cfg.SIP.TLS), Trunks: onlyAsked(all), Silent: true,
		Ports: ports, Pacer: pacer.New(pacer.Config{Shards: 1}),
		Handler: func(ctx context.Context, c *sip.Call) {
			_ = c.Hangup(ctx, media.Rejected) // nobody knows of these ports
		},
	})
	if err != nil {
		return sip.Health{}, fmt.Errorf("%w: it is asked from the addresses of sip.listen, which must be this machine's", err)
	}
	asking, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = asker.Run(asking) }) // what fails is told by Probe
	health, err := asker.Probe(ctx, name)
	stop()
	running.Wait()
	return health, err
}

// beside returns sockets of the same kinds and addresses, on other ports.
func beside(list []config.Listen) []sip.Listen {
	out := make([]sip.Listen, 0, len(list))
	for _, l := range list {
		host, _, err := net.SplitHostPort(l.Addr)
		if err != nil {
			continue // the configuration was checked
		}
		network := l.Network
		if network == "tls" {
			network = "tcp" // who asks over TLS needs no socket for it
		}
		out = append(out, sip.Listen{Network: network, Addr: net.JoinHostPort(host, "0")})
	}
	if len(out) == 0 {
		return []sip.Listen{{Network: "udp", Addr: ":0"}, {Network: "tcp", Addr: ":0"}}
	}
	return out
}

// onlyAsked returns trunks that do nothing by themselves, and are reached as before.
func onlyAsked(list []sip.Trunk) []sip.Trunk {
	list = slices.Clone(list)
	for i := range list {
		t := &list[i]
		if r := t.Register; r != nil {
			t.Server = cmp.Or(t.Server, r.Server)
			if t.Login.Username == "" {
				t.Login = r.Login
			}
		}
		t.Register, t.Keepalive = nil, 0
	}
	return list
}
