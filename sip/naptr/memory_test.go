package naptr_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/callgw/callgw/sip/naptr"
)

// wire is the way to a DNS server in virtual time; over TCP a message has its length
// before it.
type wire struct {
	dials  []time.Duration // when it was asked, since the beginning
	answer func(q *dns.Msg) *dns.Msg
	start  time.Time
}

func (w *wire) dial(_ context.Context, network, _ string) (net.Conn, error) {
	w.dials = append(w.dials, time.Since(w.start))
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		buf := make([]byte, 1024)
		n, err := theirs.Read(buf)
		q := new(dns.Msg)
		skip := 0
		if network == "tcp" {
			skip = 2
		}
		if err != nil || q.Unpack(buf[skip:n]) != nil {
			return
		}
		m := w.answer(q)
		if m == nil {
			_, _ = io.Copy(io.Discard, theirs)
			return
		}
		packed, _ := m.Pack()
		if network == "tcp" {
			packed = append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...)
		}
		_, _ = theirs.Write(packed)
	}()
	return ours, nil
}

func TestAnswersHoldForTheirTime(t *testing.T) {
	record := func(ttl string) func(q *dns.Msg) *dns.Msg {
		return func(q *dns.Msg) *dns.Msg {
			rr, _ := dns.NewRR("example.com. " + ttl + ` IN NAPTR 1 1 "s" "SIP+D2U" "" _sip._udp.example.com.`)
			m := new(dns.Msg).SetReply(q)
			m.Answer = []dns.RR{rr}
			return m
		}
	}
	none := func(soa string) func(q *dns.Msg) *dns.Msg {
		return func(q *dns.Msg) *dns.Msg {
			m := new(dns.Msg).SetRcode(q, dns.RcodeNameError)
			if rr, _ := dns.NewRR(soa); rr != nil {
				m.Ns = []dns.RR{rr}
			}
			return m
		}
	}
	for name, c := range map[string]struct {
		answer func(q *dns.Msg) *dns.Msg
		holds  time.Duration
	}{
		"its TTL":                      {record("60"), time.Minute},
		"no time at all":               {record("0"), 0},
		"an hour at most":              {record("86400"), time.Hour},
		"absence, as the SOA says":     {none("com. 900 IN SOA ns.com. root.com. 1 2 3 4 120"), 2 * time.Minute},
		"absence, by the SOA's TTL":    {none("com. 60 IN SOA ns.com. root.com. 1 2 3 4 120"), time.Minute},
		"absence, a quarter at most":   {none("com. 86400 IN SOA ns.com. root.com. 1 2 3 4 86400"), 15 * time.Minute},
		"absence without a SOA":        {none(""), 30 * time.Second},
		"a failure":                    {func(q *dns.Msg) *dns.Msg { return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure) }, 30 * time.Second},
		"silence, from its end onward": {func(*dns.Msg) *dns.Msg { return nil }, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: c.answer, start: time.Now()}
				client := naptr.NewClient(naptr.Config{File: filepath.Join(t.TempDir(), "none"), Dial: w.dial})
				ask := func() { _, _ = client.LookupNAPTR(context.Background(), "example.com") }
				ask()
				first := len(w.dials)
				if c.holds > 0 {
					time.Sleep(c.holds - time.Millisecond)
					ask()
				}
				if len(w.dials) != first {
					t.Errorf("asked again too early: %v", w.dials)
				}
				time.Sleep(2 * time.Millisecond)
				ask()
				if len(w.dials) == first {
					t.Errorf("not asked again after %v", c.holds)
				}
			})
		})
	}
}

func TestLookupIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(*dns.Msg) *dns.Msg { return nil }, start: time.Now()}
		client := naptr.NewClient(naptr.Config{File: filepath.Join(t.TempDir(), "none"), Dial: w.dial})
		if _, err := client.LookupNAPTR(context.Background(), "example.com"); err == nil {
			t.Error("no error")
		}
		if took := time.Since(w.start); took != 4*time.Second {
			t.Errorf("a look-up without an answer takes %v", took)
		}
		if len(w.dials) != 2 || w.dials[1] != 2*time.Second {
			t.Errorf("asked after %v", w.dials)
		}
	})
}

// A server that answers over TCP with more than is read, or with half of it.
func TestAnswersOverTCPThatAreNone(t *testing.T) {
	for name, reply := range map[string][]byte{
		"too long": {0xff, 0xff, 1, 2, 3}, "half": {0, 50, 1, 2, 3}, "nothing": {}, "another's": {0, 3, 1, 2, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(q *dns.Msg) *dns.Msg {
					m := new(dns.Msg).SetReply(q)
					m.Truncated = true
					return m
				}}
				client := naptr.NewClient(naptr.Config{
					File: filepath.Join(t.TempDir(), "none"),
					Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
						if network == "udp" {
							return w.dial(ctx, network, addr)
						}
						ours, theirs := net.Pipe()
						go func() {
							defer theirs.Close()
							_, _ = theirs.Read(make([]byte, 1024))
							_, _ = theirs.Write(reply)
						}()
						return ours, nil
					},
				})
				if got, err := client.LookupNAPTR(context.Background(), "example.com"); err == nil || got != nil {
					t.Errorf("%v, %v", got, err)
				}
			})
		})
	}
}
