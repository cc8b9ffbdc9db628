package sip_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/rtp"
)

// valid returns what NewServer says of a configuration that is otherwise complete.
func valid(t *testing.T, cfg sip.Config) error {
	t.Helper()
	var err error
	if cfg.Ports, err = rtp.NewPorts(rtp.PortsConfig{}); err != nil {
		t.Fatal(err)
	}
	if cfg.Listen == nil {
		cfg.Listen = []sip.Listen{{Network: "udp", Addr: "127.0.0.1:0"}}
	}
	cfg.Pacer = pacer.New(pacer.Config{})
	cfg.Handler = func(context.Context, *sip.Call) {}
	s, err := sip.NewServer(cfg)
	if err != nil {
		return err
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	return s.Run(done)
}

func TestTrunksThatMakeNoSense(t *testing.T) {
	for name, trunks := range map[string][]sip.Trunk{
		"two of a name":     {{Name: "a"}, {Name: "a"}},
		"server":            {{Name: "a", Server: "carrier.example"}},
		"proxy":             {{Name: "a", Proxy: "tel:+1"}},
		"registrar":         {{Name: "a", Register: &sip.Register{}}},
		"nobody to ask":     {{Name: "a", Keepalive: time.Second}},
		"certificate of":    {{Name: "a", ClientCert: true}},
		"header with break": {{Name: "a", Headers: map[string]string{"X": "a\r\nB: c"}}},
		"header's name":     {{Name: "a", Headers: map[string]string{"X Y": "a"}}},
	} {
		if valid(t, sip.Config{Trunks: trunks}) == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := valid(t, sip.Config{Trunks: []sip.Trunk{{Name: "a", Server: "sips:carrier.example"}, {Name: "b"}}}); err != nil {
		t.Error(err)
	}
}

func TestE164(t *testing.T) {
	for _, c := range []struct{ country, number, want string }{
		{"49", "+49 30 123456", "+4930123456"},
		{"49", "0049-30-123456", "+4930123456"},
		{"49", "0041441234567", "+41441234567"},
		{"49", "030 123456", "+4930123456"},
		{"49", "(030) 12/34-56", "+4930123456"},
		{"49", "4930123456", "+4930123456"},
		{"49", "100", "100"},
		{"49", "110", "110"},
		{"49", "0", "0"},
		{"49", "anna", "anna"},
		{"49", "anonymous", "anonymous"},
		{"49", "+anna", "+anna"},
		{"49", "", ""},
		{"1", "4155550100", "+14155550100"},
		{"1", "14155550100", "+14155550100"},
		{"1", "011493012345", "+493012345"},
		{"1", "911", "911"},
		{"", "030 123456", "030 123456"},
	} {
		if got := sip.E164(c.number, c.country); got != c.want {
			t.Errorf("E164(%q, %q) = %q, want %q", c.number, c.country, got, c.want)
		}
	}
}

// oneTrunk makes the first peers a trunk's.
func oneTrunk(tweak func(*sip.Trunk)) func(*sip.Config) {
	return func(cfg *sip.Config) {
		cfg.AcceptUnknown = false
		t := sip.Trunk{Name: "carrier", From: []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24")}}
		tweak(&t)
		cfg.Trunks = []sip.Trunk{t}
	}
}

func TestNumbersAndHeadersOfATrunk(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.URI, d.From = "sip:03012345@"+gateway, "<sip:004133123456@peer.example>"
		d.Establish(offer(), "P-Asserted-Identity: <sip:+41331234567@x;verstat=TN-Validation-Passed>", "X-Internal: secret",
			"Diversion: <sip:100@x>;reason=no-answer", "y: eyJhbGciOiJFUzI1NiJ9", "History-Info: <sip:1@x>;index=1, <sip:2@x>;index=1.1")
		c := <-r.calls
		if c.From() != "+4133123456" || c.To() != "+493012345" {
			t.Errorf("from %s to %s", c.From(), c.To())
		}
		headers := c.Headers()
		for _, name := range []string{"P-Asserted-Identity", "Diversion", "Identity", "History-Info"} {
			if len(headers[name]) == 0 {
				t.Errorf("%s is missing in %v", name, headers)
			}
		}
		if headers["X-Internal"] != nil {
			t.Error("X-Internal is shown")
		}
	}, oneTrunk(func(t *sip.Trunk) { t.Country, t.Strip = "49", []string{"x-internal"} }))
}

func TestTrunkTakesSoManyCalls(t *testing.T) {
	rejected := make(chan media.Cause, 4)
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		first, second := p.Call(), p.Call()
		first.Establish()
		second.Establish()
		refused := p.Call()
		refused.Invite(offer())
		m := p.Expect("503 INVITE")
		refused.AckFailure(m)
		if len(m.GetHeaders("Retry-After")) == 0 {
			t.Error("no Retry-After")
		}
		if cause := <-rejected; cause != media.Busy {
			t.Errorf("rejected for %v", cause)
		}
		if _, err := r.server.Dial(context.Background(), sip.Dial{Trunk: "carrier", To: "sip:bob@10.0.1.1"}); media.CauseOf(err) != media.Busy {
			t.Errorf("Dial() = %v", err)
		}
		first.Request("BYE")
		p.Expect("200 BYE")
		r.result()
		p.Call().Establish()
	}, oneTrunk(func(t *sip.Trunk) { t.MaxCalls = 2 }), func(cfg *sip.Config) {
		cfg.Rejected = func(_ string, cause media.Cause) { rejected <- cause }
	})
}

func TestLinesAreGivenBack(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		for range 3 { // refused, given up while it rings, answered and hung up
			done := r.dial(context.Background(), sip.Dial{Trunk: "carrier"})
			invite := p.Expect("INVITE")
			p.Reply(invite, 486, "Busy")
			p.Expect("ACK")
			<-done
			ctx, cancel := context.WithCancel(context.Background())
			done = r.dial(ctx, sip.Dial{Trunk: "carrier"})
			invite = p.Expect("INVITE")
			p.Reply(invite, 180, "Ringing")
			time.Sleep(time.Second)
			cancel()
			p.Reply(p.Expect("CANCEL"), 200, "OK")
			p.Reply(invite, 487, "Request Terminated")
			p.Expect("ACK")
			<-done
			time.Sleep(time.Second)
			done = r.dial(context.Background(), sip.Dial{Trunk: "carrier"})
			p.Reply(p.Expect("INVITE"), 200, "OK", offer())
			p.Expect("ACK")
			d := <-done
			if d.err != nil {
				t.Fatal(d.err)
			}
			go func() { _ = d.call.Hangup(context.Background(), media.AgentHungUp) }()
			p.Reply(p.Expect("BYE"), 200, "OK")
			time.Sleep(time.Second)
		}
	}, oneTrunk(func(t *sip.Trunk) { t.MaxCalls = 1 }))
}

func TestTrunkTakesSoManyCallsPerSecond(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		burst := func() (taken int) {
			for range 10 {
				d := p.Call()
				d.Invite(offer())
				for {
					m, ok := p.Next(time.Second / 100)
					if !ok {
						break
					}
					switch m.Short() {
					case "200 INVITE":
						d.Learn(m)
						d.Ack()
						taken++
					case "503 INVITE":
						d.AckFailure(m)
					}
				}
			}
			return taken
		}
		if n := burst(); n != 3 {
			t.Errorf("%d of 10 calls were taken", n)
		}
		time.Sleep(time.Minute)
		if n := burst(); n != 3 {
			t.Errorf("%d of 10 calls were taken a minute later", n)
		}
	}, oneTrunk(func(t *sip.Trunk) { t.CallsPerSecond = 3 }))
}

func TestCallsOutOverATrunk(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		proxy := r.peer()
		done := r.dial(context.Background(), sip.Dial{Trunk: "carrier", To: "030 12345"})
		invite := proxy.Expect("INVITE")
		req := invite.Request()
		if got := req.Recipient.String(); got != "sip:+493012345@10.0.1.99:5080" {
			t.Errorf("INVITE %s", got)
		}
		if route := req.Route(); route == nil || !route.Address.UriParams.Has("lr") {
			t.Errorf("no Route by the proxy:\n%s", invite.Raw)
		}
		if h := invite.GetHeaders("X-Account"); len(h) != 1 || h[0].Value() != "42" {
			t.Errorf("X-Account is %v", h)
		}
		proxy.Reply(invite, 486, "Busy Here")
		ack := proxy.Expect("ACK")
		if ack.Request().Route() == nil {
			t.Error("ACK without Route")
		}
		<-done
	}, oneTrunk(func(t *sip.Trunk) {
		t.Server, t.Proxy, t.Country = "sip:10.0.1.99:5080", "sip:10.0.1.1", "49"
		t.Headers = map[string]string{"X-Account": "42"}
	}))
}
