package sip_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// count returns how many messages p gets within a second.
func count(p *siptest.Peer) (n int) {
	for _, ok := p.Next(time.Second); ok; _, ok = p.Next(time.Second) {
		n++
	}
	return n
}

func TestSourcesAreLimited(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p, other := r.peer(), r.peer()
		flood := func() int {
			for range 100 {
				p.Call().Request("OPTIONS")
			}
			return count(p)
		}
		if n := flood(); n != 20 {
			t.Errorf("%d of 100 messages at once were taken, want twice the rate", n)
		}
		other.Call().Request("OPTIONS")
		if n := count(other); n != 1 {
			t.Error("one source's flood silences another")
		}
		time.Sleep(time.Hour)
		if n := flood(); n != 20 {
			t.Errorf("%d of 100 messages were taken an hour later", n)
		}
	}, func(cfg *sip.Config) { cfg.SourceRate = 10 })
}

func TestTrunksAreNotLimited(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		for range 1000 {
			p.Call().Request("OPTIONS")
		}
		if n := count(p); n != 1000 {
			t.Errorf("%d of 1000", n)
		}
	}, func(cfg *sip.Config) {
		cfg.SourceRate = 10
		cfg.AcceptUnknown = false
		cfg.Trunks = []sip.Trunk{{Name: "carrier", From: []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24")}}}
	})
}

func TestNoiseIsNotAnswered(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		for _, noise := range []string{"\r\n\r\n", "\x00\x00", "x", "jaK", "SIP/2.0 200 OK\r\n\r\n", "INVITE sip:a SIP/2.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"} {
			p.SendRaw([]byte(noise))
		}
		p.ExpectNothing(time.Minute)
		r.alive()
	})
}

func TestTrunkOfACall(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p := r.peer()
		p.Call().Establish()
		c := <-r.calls
		if c.Trunk() != "b" || c.From() != "+14155550199" || c.To() != "+14155550123" {
			t.Errorf("trunk %q, from %s to %s", c.Trunk(), c.From(), c.To())
		}
	}, func(cfg *sip.Config) {
		cfg.AcceptUnknown = false
		cfg.Trunks = []sip.Trunk{
			{Name: "a", From: []netip.Prefix{netip.MustParsePrefix("10.0.2.0/24")}},
			{Name: "b", From: []netip.Prefix{netip.MustParsePrefix("10.0.1.1/32")}},
			{Name: "c", From: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
		}
	})
}
