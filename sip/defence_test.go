package sip_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// dropped returns what was counted, without what is 0.
func dropped(t *testing.T, reg *prometheus.Registry) string {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var counts []string
	for _, f := range families {
		if f.GetName() != "callgw_sip_dropped_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if n := m.GetCounter().GetValue(); n > 0 {
				counts = append(counts, fmt.Sprintf("%s=%v", m.GetLabel()[0].GetValue(), n))
			}
		}
	}
	return strings.Join(counts, " ")
}

func TestStrangersCostNothing(t *testing.T) {
	for name, c := range map[string]struct {
		tweak func(*sip.Config)
		send  func(p *siptest.Peer)
		want  string // what is counted
		reply string // "": silence
	}{
		"refused":              {func(*sip.Config) {}, func(p *siptest.Peer) { p.Call().Invite(offer()) }, "unknown=1", "403 INVITE"},
		"silence":              {silent, func(p *siptest.Peer) { p.Call().Invite(offer()) }, "unknown=1", ""},
		"silence for OPTIONS":  {silent, func(p *siptest.Peer) { p.Call().Request("OPTIONS") }, "unknown=1", ""},
		"silence for REGISTER": {silent, func(p *siptest.Peer) { p.Call().Request("REGISTER") }, "unknown=1", ""},
		"silence for a dialog that is none": {silent, func(p *siptest.Peer) {
			d := p.Call()
			d.ToTag = "x"
			d.Request("BYE")
		}, "unknown=1", ""},
		"scanner":             {func(*sip.Config) {}, func(p *siptest.Peer) { p.Call().Request("OPTIONS", "User-Agent: friendly-scanner") }, "scanner=1", ""},
		"scanner in disguise": {func(*sip.Config) {}, func(p *siptest.Peer) { p.Call().Request("OPTIONS", "user-agent : SIPVicious 0.3") }, "scanner=1", ""},
		"a name in a body is no scanner": {func(*sip.Config) {}, func(p *siptest.Peer) {
			p.Call().Invite("Content-Type: text/plain", "\nUser-Agent: friendly-scanner\n")
		}, "unknown=1", "403 INVITE"},
		"too many headers": {func(*sip.Config) {}, func(p *siptest.Peer) {
			p.Call().Request("OPTIONS", strings.Repeat("X: y\n", 300)[:300*5-1])
		}, "headers=1", ""},
		"noise": {func(*sip.Config) {}, func(p *siptest.Peer) { p.SendRaw([]byte("jaK")) }, "noise=1", ""},
		"keep-alives": {func(*sip.Config) {}, func(p *siptest.Peer) {
			p.SendRaw([]byte("\r\n\r\n"))
			p.SendRaw([]byte("\x00\x00\x00\x00"))
		}, "", ""},
		"garbage": {func(*sip.Config) {}, func(p *siptest.Peer) { p.Send("INVITE sip:a SIP/2.0\nX: y\n\n") }, "malformed=1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			reg := prometheus.NewRegistry()
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				c.send(p)
				if c.reply != "" {
					p.Expect(c.reply)
				}
				p.ExpectNothing(time.Minute)
				if got := dropped(t, reg); got != c.want {
					t.Errorf("counted %q, want %q", got, c.want)
				}
				if server, client := r.server.Transactions(); server+client != 0 {
					t.Errorf("%d and %d transactions", server, client)
				}
			}, oneTrunk(func(t *sip.Trunk) { t.From = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} }), c.tweak,
				func(cfg *sip.Config) { cfg.Metrics = sip.NewMetrics(reg) })
		})
	}
}

func silent(cfg *sip.Config) { cfg.Silent = true }

func TestTrunksMayCallThemselvesWhatTheyWant(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		p.Call().Request("OPTIONS", "User-Agent: friendly-scanner")
		p.Expect("200 OPTIONS")
	}, oneTrunk(func(*sip.Trunk) {}))
}

func TestSilenceIsStillCounted(t *testing.T) {
	rejected := make(chan media.Cause, 1)
	bubble(t, nil, func(r *rig) {
		r.peer().Call().Invite(offer())
		if cause := <-rejected; cause != media.UnknownTrunk {
			t.Errorf("rejected for %v", cause)
		}
	}, func(cfg *sip.Config) {
		cfg.AcceptUnknown, cfg.Silent = false, true
		cfg.Rejected = func(_ string, cause media.Cause) { rejected <- cause }
	})
}

func TestFloodIsCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		for range 100 {
			p.Call().Request("OPTIONS")
		}
		if n := count(p); n != 40 {
			t.Errorf("%d of 100 messages were answered", n)
		}
		text := "# HELP callgw_sip_dropped_total Messages and connections that were not served.\n# TYPE callgw_sip_dropped_total counter\n"
		for _, reason := range []string{"auth", "connection", "handshake", "headers", "malformed", "noise", "rate", "scanner", "size", "unknown"} {
			n := map[string]int{"rate": 60, "unknown": 40}[reason]
			text += fmt.Sprintf("callgw_sip_dropped_total{reason=%q} %d\n", reason, n)
		}
		if err := testutil.GatherAndCompare(reg, strings.NewReader(text), "callgw_sip_dropped_total"); err != nil {
			t.Error(err)
		}
	}, func(cfg *sip.Config) { cfg.AcceptUnknown, cfg.Metrics = false, sip.NewMetrics(reg) })
}

func TestScannersOverConnections(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := loopback(t, answerAll(nil), func(cfg *sip.Config) { cfg.Metrics = sip.NewMetrics(reg) })
	c := connect(t, s)
	c.send(c.request("OPTIONS", "o", 1, "<sip:a@b>", "User-Agent: sipvicious"))
	c.send(c.request("OPTIONS", "o", 2, "<sip:a@b>"))
	if h := c.expect("SIP/2.0 200"); h.Get("Cseq") != "2 OPTIONS" {
		t.Errorf("answered: %s", h.Get("Cseq"))
	}
	if got := dropped(t, reg); got != "scanner=1" {
		t.Errorf("counted %q", got)
	}
}
