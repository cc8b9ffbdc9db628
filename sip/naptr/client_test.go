package naptr_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"github.com/callgw/callgw/sip/naptr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a DNS server on loopback, over UDP and TCP on the same port.
type server struct {
	addr  string
	asked atomic.Int32
	tcp   atomic.Int32
}

// serve runs a server that answers as handle says, until the test ends.
func serve(t *testing.T, handle func(w dns.ResponseWriter, q *dns.Msg)) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", ln.Addr().String())
	if err != nil {
		ln.Close()
		t.Skipf("the port is taken for UDP: %v", err)
	}
	s := &server{addr: ln.Addr().String()}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		s.asked.Add(1)
		if w.RemoteAddr().Network() == "tcp" {
			s.tcp.Add(1)
		}
		handle(w, q)
	})
	var running, up sync.WaitGroup
	t.Cleanup(running.Wait)
	for _, d := range []*dns.Server{{PacketConn: pc, Handler: handler}, {Listener: ln, Handler: handler}} {
		up.Add(1)
		d.NotifyStartedFunc = up.Done
		running.Go(func() { _ = d.ActivateAndServe() })
		t.Cleanup(func() { _ = d.Shutdown() })
	}
	up.Wait()
	return s
}

// client asks the servers, in that order: 127.0.0.1, 127.0.0.2 and so on of a
// resolv.conf.
func client(t *testing.T, timeout time.Duration, servers ...*server) *naptr.Client {
	t.Helper()
	file := filepath.Join(t.TempDir(), "resolv.conf")
	var text strings.Builder
	ways := map[string]string{}
	for i, s := range servers {
		host := "127.0.0." + string(rune('1'+i))
		text.WriteString("nameserver " + host + "\n")
		ways[host+":53"] = s.addr
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return naptr.NewClient(naptr.Config{File: file, Timeout: timeout, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, ways[address])
	}})
}

// answering is a server's handler for zone text.
func answering(t *testing.T, zone string) func(dns.ResponseWriter, *dns.Msg) {
	t.Helper()
	var rrs []dns.RR
	for p := dns.NewZoneParser(strings.NewReader(zone), "example.com.", ""); ; {
		rr, ok := p.Next()
		if !ok {
			if err := p.Err(); err != nil {
				t.Fatal(err)
			}
			break
		}
		rrs = append(rrs, rr)
	}
	return func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Answer = rrs
		limit := dns.MaxMsgSize
		if w.RemoteAddr().Network() == "udp" {
			limit = dns.MinMsgSize
		}
		m.Truncate(limit)
		_ = w.WriteMsg(m)
	}
}

// rfc3263 is the example of RFC 3263 §4.1, out of order.
const rfc3263 = `
example.com. 60 IN NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.example.com.
example.com. 60 IN NAPTR 50 50 "s" "SIPS+D2T" "" _sips._tcp.example.com.
example.com. 60 IN NAPTR 90 50 "s" "SIP+D2T" "" _sip._tcp.example.com.
`

var wantRFC3263 = []naptr.Record{
	{Order: 50, Preference: 50, Flags: "s", Service: "SIPS+D2T", Replacement: "_sips._tcp.example.com"},
	{Order: 90, Preference: 50, Flags: "s", Service: "SIP+D2T", Replacement: "_sip._tcp.example.com"},
	{Order: 100, Preference: 50, Flags: "s", Service: "SIP+D2U", Replacement: "_sip._udp.example.com"},
}

func TestRecordsComeByTheirOrder(t *testing.T) {
	s := serve(t, answering(t, rfc3263))
	c := client(t, 0, s)
	for _, name := range []string{"example.com", "EXAMPLE.com."} {
		got, err := c.LookupNAPTR(context.Background(), name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wantRFC3263, got); diff != "" {
			t.Error(diff)
		}
	}
	if n := s.asked.Load(); n != 1 {
		t.Errorf("the server was asked %d times: its answer holds for a minute", n)
	}
}

func TestEqualsComeByTheirPreference(t *testing.T) {
	s := serve(t, answering(t, `
example.com. 60 IN NAPTR 10 30 "s" "SIP+D2U" "" c.example.com.
example.com. 60 IN NAPTR 10 10 "a" "SIPS+D2T" "" a.example.com.
example.com. 60 IN NAPTR 10 20 "u" "E2U+sip" "!^.*$!sip:b@example.com!" .
example.com. 60 IN NAPTR 5 90 "" "" "" first.example.com.
`))
	got, err := client(t, 0, s).LookupNAPTR(context.Background(), "example.com")
	if err != nil {
		t.Fatal(err)
	}
	want := []naptr.Record{
		{Order: 5, Preference: 90, Replacement: "first.example.com"},
		{Order: 10, Preference: 10, Flags: "a", Service: "SIPS+D2T", Replacement: "a.example.com"},
		{Order: 10, Preference: 20, Flags: "u", Service: "E2U+sip", Regexp: "!^.*$!sip:b@example.com!"},
		{Order: 10, Preference: 30, Flags: "s", Service: "SIP+D2U", Replacement: "c.example.com"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnotherName(t *testing.T) {
	s := serve(t, answering(t, "example.com. 60 IN CNAME voice.example.net.\n"+strings.ReplaceAll(rfc3263, "\nexample.com.", "\nvoice.example.net.")+
		"other.example. 60 IN NAPTR 1 1 \"s\" \"SIP+D2U\" \"\" _sip._udp.evil.example."))
	got, err := client(t, 0, s).LookupNAPTR(context.Background(), "example.com")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantRFC3263, got); diff != "" {
		t.Error(diff)
	}
}

// What does not fit into a datagram is asked for over TCP, and not believed for ever.
func TestTruncatedAnswer(t *testing.T) {
	var zone strings.Builder
	for range 60 {
		zone.WriteString("example.com. 60 IN NAPTR 10 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.a-rather-long-label.example.com.\n")
	}
	s := serve(t, answering(t, zone.String()))
	got, err := client(t, 0, s).LookupNAPTR(context.Background(), "example.com")
	if err != nil || len(got) != 32 {
		t.Errorf("%d records, %v: want the first 32", len(got), err)
	}
	if n := s.tcp.Load(); n != 1 {
		t.Errorf("asked %d times over TCP", n)
	}
}

func TestNothingThere(t *testing.T) {
	for name, rcode := range map[string]int{"no such domain": dns.RcodeNameError, "no such records": dns.RcodeSuccess} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
				m := new(dns.Msg).SetRcode(q, rcode)
				soa, _ := dns.NewRR("example.com. 600 IN SOA ns.example.com. root.example.com. 1 2 3 4 60")
				m.Ns = []dns.RR{soa}
				_ = w.WriteMsg(m)
			})
			c := client(t, 0, s)
			for range 2 {
				if got, err := c.LookupNAPTR(context.Background(), "example.com"); got != nil || err != nil {
					t.Errorf("%v, %v", got, err)
				}
			}
			if n := s.asked.Load(); n != 1 {
				t.Errorf("the server was asked %d times", n)
			}
		})
	}
}

func TestNamesThatAreNotAskedFor(t *testing.T) {
	s := serve(t, answering(t, rfc3263))
	c := client(t, 0, s)
	for _, name := range []string{"localhost", "pbx.", "", ".", "a..b", strings.Repeat("a.", 200), strings.Repeat("a", 64) + ".b"} {
		if got, err := c.LookupNAPTR(context.Background(), name); got != nil || err != nil {
			t.Errorf("%q: %v, %v", name, got, err)
		}
	}
	if n := s.asked.Load(); n != 0 {
		t.Errorf("the server was asked %d times", n)
	}
}

// silence is a server that never answers.
func silence(dns.ResponseWriter, *dns.Msg) {}

func TestNextServer(t *testing.T) {
	for name, first := range map[string]func(w dns.ResponseWriter, q *dns.Msg){
		"silence": silence,
		"SERVFAIL": func(w dns.ResponseWriter, q *dns.Msg) {
			_ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeServerFailure))
		},
		"REFUSED": func(w dns.ResponseWriter, q *dns.Msg) { _ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeRefused)) },
		"an unknown status": func(w dns.ResponseWriter, q *dns.Msg) {
			_ = w.WriteMsg(new(dns.Msg).SetRcode(q, 14))
		},
		"garbage": func(w dns.ResponseWriter, _ *dns.Msg) { _, _ = w.Write([]byte("what is this")) },
		"another's answer": func(w dns.ResponseWriter, q *dns.Msg) {
			m := new(dns.Msg).SetReply(q)
			m.Id++
			_ = w.WriteMsg(m)
		},
		"another question's answer": func(w dns.ResponseWriter, q *dns.Msg) {
			m := new(dns.Msg).SetReply(q)
			m.Question[0].Name = "example.net."
			_ = w.WriteMsg(m)
		},
		"the question": func(w dns.ResponseWriter, q *dns.Msg) { _ = w.WriteMsg(q) },
		"truncated, and TCP too": func(w dns.ResponseWriter, q *dns.Msg) {
			m := new(dns.Msg).SetReply(q)
			m.Truncated = true
			_ = w.WriteMsg(m)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad, good := serve(t, first), serve(t, answering(t, rfc3263))
			got, err := client(t, time.Second, bad, good).LookupNAPTR(context.Background(), "example.com")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wantRFC3263, got); diff != "" {
				t.Error(diff)
			}
			if bad.asked.Load() == 0 {
				t.Error("the first server was not asked")
			}
		})
	}
}

// A forged datagram that comes first does not displace the real answer.
func TestForgeryIsPassedOver(t *testing.T) {
	genuine := answering(t, rfc3263)
	s := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		forged := new(dns.Msg).SetReply(q)
		forged.Id ^= 0x5555
		rr, _ := dns.NewRR(`example.com. 60 IN NAPTR 1 1 "s" "SIP+D2U" "" _sip._udp.evil.example.`)
		forged.Answer = []dns.RR{rr}
		_ = w.WriteMsg(forged)
		genuine(w, q)
	})
	got, err := client(t, 0, s).LookupNAPTR(context.Background(), "example.com")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantRFC3263, got); diff != "" {
		t.Error(diff)
	}
}

func TestServersThatFailAreNotAskedForEachCall(t *testing.T) {
	s := serve(t, silence)
	c := client(t, 100*time.Millisecond, s)
	for range 3 {
		if _, err := c.LookupNAPTR(context.Background(), "example.com"); err == nil || !strings.Contains(err.Error(), "no answer in time") {
			t.Errorf("LookupNAPTR() = %v", err)
		}
	}
	if n := s.asked.Load(); n != 2 { // the single server, twice for datagrams get lost
		t.Errorf("the server was asked %d times", n)
	}
}

func TestCallerGivesUp(t *testing.T) {
	asked := make(chan struct{}, 1)
	s := serve(t, func(dns.ResponseWriter, *dns.Msg) { asked <- struct{}{} })
	c := client(t, time.Hour, s)
	gone := errors.New("the caller is gone")
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		<-asked
		cancel(gone)
	}()
	if _, err := c.LookupNAPTR(ctx, "example.com"); !errors.Is(err, gone) {
		t.Errorf("LookupNAPTR() = %v", err)
	}
	// That is nothing to be remembered of the domain.
	again, stop := context.WithCancelCause(context.Background())
	go func() {
		<-asked
		stop(nil)
	}()
	if _, err := c.LookupNAPTR(again, "example.com"); !errors.Is(err, context.Canceled) {
		t.Errorf("LookupNAPTR() = %v: the server was not asked again", err)
	}
}

func TestNoServerListens(t *testing.T) {
	ln, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := &server{addr: ln.LocalAddr().String()}
	ln.Close()
	if _, err := client(t, time.Second, closed).LookupNAPTR(context.Background(), "example.com"); err == nil {
		t.Error("no error")
	}
}
