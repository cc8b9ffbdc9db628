package sip_test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/naptr"
	"github.com/callgw/callgw/sip/siptest"
)

// zone is a resolver that knows what a test says, and what it was asked for.
type zone struct {
	naptr map[string][]naptr.Record
	srv   map[string][]*net.SRV // by "_sip._udp.example.com"
	hosts map[string]string     // addresses, by name
	asked *[]string
}

func (z zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if addr, ok := z.hosts[host]; ok {
		return []netip.Addr{netip.MustParseAddr(addr)}, nil
	}
	return nil, noSuch(host)
}

func (z zone) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	full := name
	if service != "" {
		full = "_" + service + "._" + proto + "." + name
	}
	if z.asked != nil {
		*z.asked = append(*z.asked, full)
	}
	if records, ok := z.srv[full]; ok {
		return full, records, nil
	}
	return "", nil, noSuch(full)
}

func (z zone) LookupNAPTR(_ context.Context, domain string) ([]naptr.Record, error) {
	if z.asked != nil {
		*z.asked = append(*z.asked, domain)
	}
	return z.naptr[domain], nil
}

// noSuch is what *net.Resolver says of a name that there is not.
func noSuch(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// twoServers are a domain with two servers, the peers 10.0.1.1 and 10.0.1.2.
var twoServers = zone{
	srv: map[string][]*net.SRV{"_sip._udp.carrier.example": {
		{Target: "one.carrier.example.", Port: 5060, Priority: 10}, {Target: "two.carrier.example.", Port: 5060, Priority: 20},
	}},
	hosts: map[string]string{"one.carrier.example": "10.0.1.1", "two.carrier.example": "10.0.1.2", "carrier.example": "10.0.1.3"},
}

func resolving(z sip.Resolver) func(*sip.Config) {
	return func(cfg *sip.Config) { cfg.Resolver = z }
}

const bob = "sip:bob@carrier.example"

func TestServersOfADomain(t *testing.T) {
	for name, c := range map[string]struct {
		to   string
		want int // which peer
	}{
		"by SRV":               {bob, 1},
		"a port means no SRV":  {bob + ":5060", 3},
		"no SRV for TCP":       {"sip:bob@one.carrier.example", 1},
		"an address":           {"sip:bob@10.0.1.2", 2},
		"maddr before host":    {bob + ";maddr=10.0.1.2", 2},
		"IPv6 is no IPv4":      {"sip:bob@[::ffff:10.0.1.2]", 2},
		"transport, and SRV":   {bob + ";transport=udp", 1},
		"case does not matter": {"sip:bob@carrier.example;transport=UDP", 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				peers := []*siptest.Peer{r.peer(), r.peer(), r.peer()}
				done := r.dial(context.Background(), sip.Dial{To: c.to})
				p := peers[c.want-1]
				p.Reply(p.Expect("INVITE"), 486, "Busy")
				p.Expect("ACK")
				<-done
			}, resolving(twoServers))
		})
	}
}

func TestOrderOfQuestions(t *testing.T) {
	for to, want := range map[string][]string{
		"sip:bob@none.example":                {"none.example", "_sip._udp.none.example", "_sip._tcp.none.example"},
		"sips:bob@none.example":               {"none.example", "_sips._tcp.none.example"},
		"sip:bob@none.example;transport=tcp":  {"_sip._tcp.none.example"},
		"sips:bob@none.example;transport=tcp": {"_sips._tcp.none.example"},
		"sip:bob@none.example;transport=x":    nil,
		"sip:bob@none.example:5070":           nil,
		"sips:bob@none.example:5071":          nil,
	} {
		bubble(t, nil, func(r *rig) {
			var asked []string
			r.server.SetResolver(zone{asked: &asked})
			if _, err := r.server.Dial(context.Background(), sip.Dial{To: to}); media.CauseOf(err) != media.LegFailed {
				t.Errorf("Dial(%s) = %v", to, err)
			}
			if !slices.Equal(asked, want) {
				t.Errorf("%s: asked for %v, want %v", to, asked, want)
			}
		})
	}
}

// The first server is silent, or says that it cannot: the second gets the call, and
// the next call goes to it at once, for a minute.
func TestFailover(t *testing.T) {
	for name, c := range map[string]struct {
		first func(p *siptest.Peer)
		after time.Duration
	}{
		"silence": {func(*siptest.Peer) {}, 4 * time.Second},
		"503":     {func(p *siptest.Peer) { p.Reply(p.Expect("INVITE"), 503, "Overloaded"); p.Expect("ACK") }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				one, two := r.peer(), r.peer()
				start := time.Now()
				done := r.dial(context.Background(), sip.Dial{To: bob})
				c.first(one)
				invite := two.Expect("INVITE")
				if d := time.Since(start); d != c.after {
					t.Errorf("the next server is asked after %v", d)
				}
				two.Reply(invite, 200, "OK", offer())
				two.Expect("ACK")
				d := <-done
				if d.err != nil {
					t.Fatal(d.err)
				}
				go func() { _ = d.call.Hangup(context.Background(), media.AgentHungUp) }()
				two.Reply(two.Expect("BYE"), 200, "OK")

				count(one)
				done = r.dial(context.Background(), sip.Dial{To: bob})
				two.Reply(two.Expect("INVITE"), 486, "Busy")
				two.Expect("ACK")
				<-done
				one.ExpectNothing(time.Second)

				time.Sleep(time.Minute)
				done = r.dial(context.Background(), sip.Dial{To: bob})
				one.Reply(one.Expect("INVITE"), 486, "Busy")
				one.Expect("ACK")
				<-done
			}, resolving(twoServers))
		})
	}
}

func TestBusyIsNoReasonToGoElsewhere(t *testing.T) {
	for _, status := range []int{403, 486, 500, 603} {
		bubble(t, nil, func(r *rig) {
			one, two := r.peer(), r.peer()
			done := r.dial(context.Background(), sip.Dial{To: bob})
			one.Reply(one.Expect("INVITE"), status, "No")
			one.Expect("ACK")
			<-done
			two.ExpectNothing(time.Minute)
		}, resolving(twoServers))
	}
}

func TestRingingServerIsNotLeft(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		one, two := r.peer(), r.peer()
		done := r.dial(context.Background(), sip.Dial{To: bob})
		invite := one.Expect("INVITE")
		one.Reply(invite, 100, "Trying")
		time.Sleep(20 * time.Second)
		one.Reply(invite, 486, "Busy")
		one.Expect("ACK")
		<-done
		two.ExpectNothing(time.Minute)
	}, resolving(twoServers))
}

func TestAllServersAreSilent(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		start := time.Now()
		done := r.dial(context.Background(), sip.Dial{To: bob})
		if d := <-done; media.CauseOf(d.err) != media.NoAnswer {
			t.Errorf("Dial() = %v", d.err)
		}
		if d := time.Since(start); d != 36*time.Second { // 4 s, then 64*T1
			t.Errorf("after %v", d)
		}
	}, resolving(twoServers))
}

func TestGivingUpStopsTheSearch(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		two := [...]*siptest.Peer{r.peer(), r.peer()}[1]
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, media.NoAnswer)
		defer cancel()
		if d := <-r.dial(ctx, sip.Dial{To: bob}); media.CauseOf(d.err) != media.NoAnswer {
			t.Errorf("Dial() = %v", d.err)
		}
		two.ExpectNothing(time.Minute)
	}, resolving(twoServers))
}
