package sip_test

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/naptr"
)

// outage is a DNS that is there or not.
type outage struct {
	zone
	down *atomic.Bool
}

func newOutage(z zone) outage { return outage{z, new(atomic.Bool)} }

func (o outage) now() sip.Resolver {
	down := o.down.Load()
	return ailing{zone: o.zone, naptr: down, srv: down, host: down}
}

func (o outage) LookupNAPTR(ctx context.Context, domain string) ([]naptr.Record, error) {
	return o.now().LookupNAPTR(ctx, domain)
}

func (o outage) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	return o.now().LookupSRV(ctx, service, proto, name)
}

func (o outage) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return o.now().LookupNetIP(ctx, network, host)
}

// DNS fails: the registration is refreshed where it was made, a call in progress goes
// on, and calls go out.
func TestTrunkOutlivesDNS(t *testing.T) {
	reg := prometheus.NewRegistry()
	dns := newOutage(twoServers)
	var log bytes.Buffer
	bubble(t, into(&record{}), func(r *rig) {
		p := r.peer()
		p.Reply(p.Expect("REGISTER"), 200, "OK", "Expires: 300")
		time.Sleep(time.Second)
		r.wantRegistered(reg, 1)
		d := p.Call()
		d.Establish(offer())
		dns.down.Store(true)
		for range 3 {
			p.Reply(p.ExpectWithin(5*time.Minute, "REGISTER"), 200, "OK", "Expires: 300")
		}
		r.wantRegistered(reg, 1)
		if !strings.Contains(log.String(), "DNS does not answer: servers as last known") || !strings.Contains(log.String(), `"host":"carrier.example"`) {
			t.Errorf("logged: %s", log.String())
		}
		out := r.dial(context.Background(), sip.Dial{Trunk: "pbx", To: "+14155550100"})
		p.Reply(p.Expect("INVITE"), 486, "Busy")
		p.Expect("ACK")
		<-out
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
		r.stop()
		p.Reply(p.Expect("REGISTER"), 200, "OK")
	}, registering(reg, func(t *sip.Trunk) { t.Register.Server = "sip:carrier.example" }), resolving(dns),
		func(cfg *sip.Config) { cfg.Log = zerolog.New(&log) })
}

func TestServersAsLastKnown(t *testing.T) {
	first, plain := []string{"UDP 10.0.1.1:5060 carrier.example", "UDP 10.0.1.2:5060 carrier.example"}, []string{"UDP 10.0.1.3:5060 carrier.example"}
	targets := func(t *testing.T, r *rig, want []string) {
		t.Helper()
		got, err := r.server.Targets(context.Background(), bob)
		if diff := cmp.Diff(want, got); (err != nil) != (want == nil) || err == nil && diff != "" {
			t.Errorf("%v, %s", err, diff)
		}
	}
	t.Run("for a day", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			dns := newOutage(twoServers)
			r.server.SetResolver(dns)
			dns.down.Store(true)
			targets(t, r, nil)
			dns.down.Store(false)
			targets(t, r, first)
			dns.down.Store(true)
			time.Sleep(24*time.Hour - time.Second)
			targets(t, r, first)
			time.Sleep(time.Second)
			targets(t, r, nil)
		})
	})
	t.Run("not when DNS answers", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			r.server.SetResolver(twoServers)
			targets(t, r, first)
			r.server.SetResolver(zone{})
			targets(t, r, nil)
			r.server.SetResolver(ailing{zone: twoServers, naptr: true, srv: true, host: true})
			targets(t, r, nil) // it said that there is no such name
		})
	})
	t.Run("not what was had without NAPTR", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			r.server.SetResolver(ailing{zone: zone{hosts: twoServers.hosts}, naptr: true})
			targets(t, r, plain)
			r.server.SetResolver(ailing{zone: twoServers, naptr: true})
			targets(t, r, first)
		})
	})
	t.Run("rather than half of it", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			r.server.SetResolver(twoServers)
			targets(t, r, first)
			r.server.SetResolver(ailing{zone: twoServers, srv: true})
			targets(t, r, first)
		})
	})
}
