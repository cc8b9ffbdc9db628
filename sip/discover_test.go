package sip_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/naptr"
)

// service is a NAPTR record that leads to the SRV records of a name.
func service(order uint16, service, name string) naptr.Record {
	return naptr.Record{Order: order, Preference: 50, Flags: "s", Service: service, Replacement: name}
}

// country is a domain that takes calls over all three transports.
func country(records ...naptr.Record) zone {
	return zone{
		naptr: map[string][]naptr.Record{"c.example": records},
		srv: map[string][]*net.SRV{
			"_sip._udp.c.example":  {{Target: "one.c.example.", Port: 5060}, {Target: "two.c.example.", Port: 5062}},
			"_sip._tcp.c.example":  {{Target: "one.c.example.", Port: 5060}},
			"_sips._tcp.c.example": {{Target: "two.c.example.", Port: 5061}},
			"calls.elsewhere.net":  {{Target: "two.c.example.", Port: 5070}},
			"_sip._udp.none":       {{Target: "."}},
			"_sip._udp.halfway":    {{Target: "gone.c.example.", Port: 1}, {Target: "two.c.example.", Port: 2}},
		},
		hosts: map[string]string{"one.c.example": "10.0.1.1", "two.c.example": "10.0.1.2", "c.example": "10.0.1.3", "none": "10.0.1.4"},
	}
}

func TestTransportByNAPTR(t *testing.T) {
	all := []naptr.Record{
		service(50, "SIPS+D2T", "_sips._tcp.c.example"), service(90, "SIP+D2T", "_sip._tcp.c.example"), service(100, "SIP+D2U", "_sip._udp.c.example"),
	}
	byUDP := []string{"UDP 10.0.1.1:5060 c.example", "UDP 10.0.1.2:5062 c.example"}
	for name, c := range map[string]struct {
		records []naptr.Record
		uri     string
		want    []string
	}{
		"the domain's first choice":     {all, "sip:c.example", []string{"TLS 10.0.1.2:5061 c.example"}},
		"sips allows TLS only":          {all[1:], "sips:c.example", []string{"TLS 10.0.1.2:5061 c.example"}}, // by SRV
		"sips, and TLS is there":        {[]naptr.Record{all[2], all[0]}, "sips:c.example", []string{"TLS 10.0.1.2:5061 c.example"}},
		"by order":                      {all[1:], "sip:c.example", []string{"TCP 10.0.1.1:5060 c.example"}},
		"no NAPTR, then SRV":            {nil, "sip:c.example", byUDP},
		"a transport that is told":      {all, "sip:c.example;transport=udp", byUDP},
		"a port":                        {all, "sip:c.example:5080", []string{"UDP 10.0.1.3:5080 c.example"}},
		"an address":                    {all, "sip:10.0.1.9", []string{"UDP 10.0.1.9:5060 10.0.1.9"}},
		"case does not matter":          {[]naptr.Record{{Flags: "S", Service: "sip+d2t", Replacement: "_sip._tcp.c.example"}}, "sip:c.example", []string{"TCP 10.0.1.1:5060 c.example"}},
		"any name, the domain's own":    {[]naptr.Record{service(1, "SIP+D2T", "calls.elsewhere.net")}, "sip:c.example", []string{"TCP 10.0.1.2:5070 c.example"}},
		"an address record":             {[]naptr.Record{{Flags: "a", Service: "SIPS+D2T", Replacement: "one.c.example"}}, "sip:c.example", []string{"TLS 10.0.1.1:5061 c.example"}},
		"unknown transports":            {[]naptr.Record{service(1, "SIP+D2S", "x"), service(1, "SIPS+D2W", "x"), service(2, "SIP+D2T", "_sip._tcp.c.example")}, "sip:c.example", []string{"TCP 10.0.1.1:5060 c.example"}},
		"unknown services":              {[]naptr.Record{service(1, "E2U+sip", "x")}, "sip:c.example", byUDP},
		"a URI made anew":               {[]naptr.Record{{Flags: "u", Service: "SIP+D2T", Regexp: "!^.*$!sip:evil.example!"}}, "sip:c.example", byUDP},
		"a regular expression":          {[]naptr.Record{{Flags: "s", Service: "SIP+D2T", Regexp: "!a!b!", Replacement: "_sip._tcp.c.example"}}, "sip:c.example", byUDP},
		"no flag, no end":               {[]naptr.Record{{Service: "SIP+D2T", Replacement: "_sip._tcp.c.example"}}, "sip:c.example", byUDP},
		"a record that leads nowhere":   {[]naptr.Record{service(1, "SIP+D2T", "nothing.example"), all[2]}, "sip:c.example", byUDP},
		"one that leads to the root":    {[]naptr.Record{service(1, "SIP+D2T", ""), all[2]}, "sip:c.example", byUDP},
		"equals are all tried":          {[]naptr.Record{service(1, "SIPS+D2T", "_sips._tcp.c.example"), service(1, "SIP+D2T", "_sip._tcp.c.example"), all[2]}, "sip:c.example", []string{"TLS 10.0.1.2:5061 c.example", "TCP 10.0.1.1:5060 c.example"}},
		"a server whose name is gone":   {nil, "sip:halfway", []string{"UDP 10.0.1.2:2 halfway"}},
		"decidedly no calls over UDP":   {nil, "sip:none;transport=udp", nil},
		"nor over anything":             {nil, "sip:none", nil},
		"no SRV for it, then the host":  {nil, "sip:none;transport=tcp", []string{"TCP 10.0.1.4:5060 none"}},
		"a domain that does not exist":  {nil, "sip:nowhere.example", nil},
		"sips has no NAPTR but SRV too": {nil, "sips:c.example", []string{"TLS 10.0.1.2:5061 c.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				got, err := r.server.Targets(context.Background(), c.uri)
				if (err != nil) != (c.want == nil) {
					t.Errorf("%v", err)
				}
				if diff := cmp.Diff(c.want, got); diff != "" && err == nil {
					t.Error(diff)
				}
			}, resolving(country(c.records...)))
		})
	}
}

// Without a socket for UDP, what needs one is passed over.
func TestTransportsThatAreNotThere(t *testing.T) {
	d := &door{}
	bubble(t, nil, func(r *rig) {
		got, err := r.server.Targets(context.Background(), "sip:c.example")
		if diff := cmp.Diff([]string{"TCP 10.0.1.1:5060 c.example"}, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		r.server.SetResolver(country()) // by SRV then
		got, err = r.server.Targets(context.Background(), "sip:c.example")
		if diff := cmp.Diff([]string{"TCP 10.0.1.1:5060 c.example"}, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
	}, func(cfg *sip.Config) {
		d.conns, d.closed = make(chan net.Conn), make(chan struct{})
		cfg.Listen = []sip.Listen{{Network: "tcp", Streams: d}}
		cfg.Resolver = country(service(1, "SIP+D2U", "_sip._udp.c.example"), service(2, "SIP+D2T", "_sip._tcp.c.example"))
	})
}

// ailing is a DNS that fails for some questions.
type ailing struct {
	zone
	naptr, srv, host bool
}

var errDNS = &net.DNSError{Err: "server misbehaving", IsTemporary: true}

func (a ailing) LookupNAPTR(ctx context.Context, domain string) ([]naptr.Record, error) {
	if a.naptr {
		return nil, errDNS
	}
	return a.zone.LookupNAPTR(ctx, domain)
}

func (a ailing) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if a.srv {
		return "", nil, errDNS
	}
	return a.zone.LookupSRV(ctx, service, proto, name)
}

func (a ailing) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if a.host {
		return nil, errDNS
	}
	return a.zone.LookupNetIP(ctx, network, host)
}

// What DNS does not tell is done without as far as possible, and counted.
func TestDNSFails(t *testing.T) {
	for name, c := range map[string]struct {
		dns    ailing
		want   string // where a call goes, "" for nowhere
		counts [3]int // naptr, srv, host
	}{
		"for NAPTR":    {ailing{naptr: true}, "UDP 10.0.1.1:5060 carrier.example", [3]int{1, 0, 0}},
		"for SRV":      {ailing{srv: true}, "UDP 10.0.1.3:5060 carrier.example", [3]int{0, 2, 0}},
		"for hosts":    {ailing{host: true}, "", [3]int{0, 0, 3}},
		"for all":      {ailing{naptr: true, srv: true, host: true}, "", [3]int{1, 2, 1}},
		"for none":     {ailing{}, "UDP 10.0.1.1:5060 carrier.example", [3]int{}},
		"no such name": {ailing{zone: zone{}}, "", [3]int{}},
	} {
		t.Run(name, func(t *testing.T) {
			reg := prometheus.NewRegistry()
			var log bytes.Buffer
			bubble(t, nil, func(r *rig) {
				if name != "no such name" {
					c.dns.zone = twoServers
				}
				r.server.SetResolver(c.dns)
				got, err := r.server.Targets(context.Background(), bob)
				if (c.want == "") != (err != nil) || err == nil && got[0] != c.want {
					t.Errorf("%v, %v", got, err)
				}
				if err != nil && name != "no such name" && !errors.Is(err, errDNS) {
					t.Errorf("%v", err)
				}
				text := "# HELP callgw_sip_dns_failures_total Questions about servers that DNS did not answer.\n# TYPE callgw_sip_dns_failures_total counter\n"
				for i, kind := range []string{"host", "naptr", "srv"} {
					text += "callgw_sip_dns_failures_total{type=\"" + kind + "\"} " + string(rune('0'+[]int{c.counts[2], c.counts[0], c.counts[1]}[i])) + "\n"
				}
				if err := testutil.GatherAndCompare(reg, strings.NewReader(text), "callgw_sip_dns_failures_total"); err != nil {
					t.Error(err)
				}
				if logged := strings.Contains(log.String(), "DNS does not answer"); logged != (c.want != "" && c.counts != [3]int{}) {
					t.Errorf("logged: %s", log.String())
				}
			}, func(cfg *sip.Config) { cfg.Metrics, cfg.Log = sip.NewMetrics(reg), zerolog.New(&log) })
		})
	}
}

// The peer's Contact is a name. DNS fails in the middle of the call: it goes on, and
// what we have to say goes the way that it came by.
func TestCallsOutliveDNS(t *testing.T) {
	bubble(t, serve, func(r *rig) {
		r.server.SetResolver(nowhere{})
		p := r.peer()
		d := p.Call()
		d.Contact = "<sip:+14155550199@phone.carrier.example>"
		d.Establish(offer())
		time.Sleep(time.Minute)
		r.stop()
		p.Reply(p.Expect("BYE"), 200, "OK")
		r.wantCause(media.Shutdown)
	})
}
