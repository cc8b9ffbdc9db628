package sip_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/naptr"
)

// overDNS is a resolver that asks a DNS server on loopback, as the system's asks those
// of resolv.conf.
type overDNS struct {
	*net.Resolver
	*naptr.Client
}

// nameserver serves a zone over UDP until the test ends.
func nameserver(t *testing.T, zone string) sip.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var rrs []dns.RR
	parser := dns.NewZoneParser(strings.NewReader(zone), ".", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		rrs = append(rrs, rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{PacketConn: pc, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		for _, rr := range rrs {
			if h := rr.Header(); strings.EqualFold(h.Name, q.Question[0].Name) && h.Rrtype == q.Question[0].Qtype {
				m.Answer = append(m.Answer, rr)
			}
		}
		_ = w.WriteMsg(m)
	})}
	var running sync.WaitGroup
	running.Go(func() { _ = server.ActivateAndServe() })
	<-started
	t.Cleanup(func() {
		_ = server.Shutdown()
		running.Wait()
	})
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, pc.LocalAddr().String())
	}
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver 127.0.0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return overDNS{&net.Resolver{PreferGo: true, Dial: dial}, naptr.NewClient(naptr.Config{File: file, Dial: dial})}
}

// A domain asks for TLS by NAPTR, and its first server is down: the call goes to the
// second, whose certificate is the domain's.
func TestCallByNAPTR(t *testing.T) {
	a := newAuthority(t)
	ended, secure := make(chan error, 1), make(chan bool, 1)
	far := loopback(t, func(ctx context.Context, c *sip.Call) {
		secure <- strings.Contains(c.Header("Via")[0], "/TLS ")
		answerAll(ended)(ctx, c)
	}, overTLS(a.sign("far", "far.example")))
	down, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down.Close()
	resolver := nameserver(t, fmt.Sprintf(`
far.example.  60 IN NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp.far.example.
far.example.  60 IN NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.far.example.
_sips._tcp.far.example. 60 IN SRV 10 1 %s one.provider.example.
_sips._tcp.far.example. 60 IN SRV 20 1 %s two.provider.example.
one.provider.example. 60 IN A 127.0.0.1
two.provider.example. 60 IN A 127.0.0.1
`, port(down.Addr()), port(far.Addrs()[0])))
	near := loopback(t, answerAll(nil), overTLS(a.sign("near", "near.example")), func(cfg *sip.Config) { cfg.Resolver = resolver })
	c, err := near.Dial(t.Context(), sip.Dial{To: "sip:bob@far.example"})
	if err != nil {
		t.Fatal(err)
	}
	if !<-secure {
		t.Error("not over TLS")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, silence{}, silence{}) }()
	cancel(media.AgentHungUp)
	<-done
	if err := <-ended; media.CauseOf(err) != media.CallerHungUp {
		t.Errorf("the other side: %v", err)
	}
}
