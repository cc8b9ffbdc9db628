package sip_test

import (
	"context"
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

// at is a trunk of one address.
func at(name, addr string) sip.Trunk {
	return sip.Trunk{Name: name, From: []netip.Prefix{netip.MustParsePrefix(addr + "/32")}}
}

// change replaces the server's trunks.
func (r *rig) change(trunks ...sip.Trunk) {
	r.t.Helper()
	if err := r.server.SetTrunks(trunks); err != nil {
		r.t.Fatal(err)
	}
}

// only makes a server's trunks those.
func only(trunks ...sip.Trunk) func(*sip.Config) {
	return func(cfg *sip.Config) { cfg.AcceptUnknown, cfg.Trunks = false, trunks }
}

func TestATrunkIsAddedAndAnotherRemovedWithACall(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p, q := r.peer(), r.peer()
		lasting := p.Call()
		lasting.Establish()
		kept := <-r.calls
		q.Call().Invite(offer())
		q.Expect("403 INVITE")

		r.change(at("new", "10.0.1.2"))
		q.Call().Establish()
		if c := <-r.calls; c.Trunk() != "new" {
			t.Errorf("the call belongs to %q", c.Trunk())
		}
		p.Call().Invite(offer())
		p.Expect("403 INVITE")

		// What it began with, it goes on with: the source is no stranger.
		for range 100 {
			lasting.Request("OPTIONS")
		}
		for range 100 {
			p.Expect("200 OPTIONS")
		}
		if kept.Trunk() != "old" {
			t.Errorf("the call that lasts belongs to %q", kept.Trunk())
		}
		lasting.Request("BYE")
		p.Expect("200 BYE")
		r.result()
		for range 100 {
			p.Call().Request("OPTIONS")
		}
		if n := count(p); n > 50 {
			t.Errorf("%d of 100 messages were answered to whom no trunk names", n)
		}
	}, only(at("old", "10.0.1.1")))
}

func TestACallOverATrunkThatWasRemovedIsTransferred(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p := r.peer()
		p.Call().Establish()
		c := <-r.calls
		time.Sleep(time.Second) // until it runs
		r.change()
		done := make(chan error, 1)
		go func() { done <- c.Transfer(context.Background(), "sip:bob@10.0.1.1") }()
		p.Reply(p.Expect("INVITE"), 486, "Busy")
		p.Expect("ACK")
		if err := <-done; err == nil || !strings.Contains(err.Error(), "busy") {
			t.Errorf("Transfer() = %v", err)
		}
		if _, err := r.server.Dial(context.Background(), sip.Dial{To: "sip:bob@10.0.1.1", Trunk: "old"}); err == nil {
			t.Error("a new call went out over it")
		}
	}, only(func() sip.Trunk { t := at("old", "10.0.1.1"); t.Transfer = sip.TransferBridge; return t }()))
}

// TestLinesAreCountedByName changes a trunk that is full, and takes it away and back.
func TestLinesAreCountedByName(t *testing.T) {
	one := at("carrier", "10.0.1.1")
	one.MaxCalls = 1
	two := one
	two.MaxCalls, two.Country = 2, "49"
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		full := func() {
			t.Helper()
			d := p.Call()
			d.Invite(offer())
			d.AckFailure(p.Expect("503 INVITE"))
		}
		first := p.Call()
		first.Establish()
		full()
		r.change(two)
		p.Call().Establish()
		full()
		r.change()
		r.change(two)
		full()
		r.change(one)
		first.Request("BYE")
		p.Expect("200 BYE")
		r.result()
		full()
	}, only(one))
}

// A trunk that always has a call must not keep all that it has ever been.
func TestFormerTrunksAreForgotten(t *testing.T) {
	pbx := func(most int) []sip.Trunk {
		return []sip.Trunk{{Name: "pbx", From: []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24")}, MaxCalls: most}}
	}
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish(offer())
		for most := 2; most < 10; most++ {
			if err := r.server.SetTrunks(pbx(most)); err != nil {
				t.Fatal(err)
			}
			next := p.Call()
			next.Establish(offer())
			d.Request("BYE")
			p.Expect("200 BYE")
			r.wantCause(media.CallerHungUp)
			d = next
		}
		if n := r.server.Former(); n > 1 {
			t.Errorf("%d trunks are kept for one call", n)
		}
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	}, func(cfg *sip.Config) { cfg.Trunks = pbx(9) })
}

func TestTrunksThatCannotBeChangeNothing(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		authority := at("other", "10.0.1.2")
		authority.CA = "/nonexistent/ca.pem"
		for _, bad := range [][]sip.Trunk{
			{at("other", "10.0.1.2"), at("other", "10.0.1.3")}, {{Name: "x", Keepalive: time.Minute}}, {authority},
		} {
			if err := r.server.SetTrunks(bad); err == nil {
				t.Errorf("%v were taken", bad)
			}
		}
		p.Call().Establish()
	}, only(at("carrier", "10.0.1.1")))
}

// wantStates compares the gauges of trunks, as lines without their prefix.
func wantStates(t *testing.T, reg *prometheus.Registry, want string) {
	t.Helper()
	time.Sleep(time.Millisecond)
	text := ""
	for _, gauge := range []struct{ name, help string }{
		{"registered", "Whether the trunk's registrar has a binding of ours."},
		{"up", "Whether the trunk's server answers keep-alives."},
	} {
		head := "# HELP callgw_trunk_" + gauge.name + " " + gauge.help + "\n# TYPE callgw_trunk_" + gauge.name + " gauge\n"
		for line := range strings.Lines(want) {
			if strings.HasPrefix(line, gauge.name) {
				text += head + "callgw_trunk_" + line
				head = ""
			}
		}
	}
	if err := testutil.GatherAndCompare(reg, strings.NewReader(text), "callgw_trunk_registered", "callgw_trunk_up"); err != nil {
		t.Error(err)
	}
}

func TestRegistrationsFollowTheTrunks(t *testing.T) {
	account := func(name, password string) sip.Trunk {
		return sip.Trunk{Name: name, Register: &sip.Register{
			Server: "sip:10.0.1.1", Login: sip.Credentials{Username: "100", Password: password},
		}}
	}
	reg := prometheus.NewRegistry()
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		registrar := siptest.Registrar{Realm: "pbx", User: "100", Password: "secret", QOP: "auth"}
		settle := func(want string) siptest.Message {
			t.Helper()
			for {
				m := p.Expect("REGISTER")
				if registrar.Take(p, m) == 200 {
					if got := expires(m); got != want {
						t.Errorf("Expires: %s, want %s", got, want)
					}
					return m
				}
			}
		}
		first := settle("300")
		wantStates(t, reg, "registered{trunk=\"pbx\"} 1\n")

		// What does not concern the account leaves it alone.
		other := account("pbx", "secret")
		other.MaxCalls = 7
		r.change(other, at("more", "10.0.1.7"))
		wantStates(t, reg, "registered{trunk=\"pbx\"} 1\n")
		if refreshed := settle("300"); refreshed.CallID().Value() != first.CallID().Value() || refreshed.At.Sub(first.At) < 2*time.Minute {
			t.Error("the registration began anew")
		}

		// Its password is another one: the old binding is given back before.
		registrar.Password = "new"
		r.change(account("pbx", "new"))
		wantStates(t, reg, "registered{trunk=\"pbx\"} 0\n")
		p.Reply(p.Expect("REGISTER"), 403, "Forbidden") // the old password's
		if renewed := settle("300"); renewed.CallID().Value() == first.CallID().Value() {
			t.Error("the old registration goes on")
		}
		wantStates(t, reg, "registered{trunk=\"pbx\"} 1\n")

		// Its name is another one: the contact is the same, and must not be taken back
		// after it was bound again.
		r.change(account("office", "new"))
		settle("0")
		settle("300")
		wantStates(t, reg, "registered{trunk=\"office\"} 1\n")
		if names := r.server.Unregistered(); len(names) != 0 || len(registrar.Contacts()) != 1 {
			t.Errorf("Unregistered() = %v, bound %v", names, registrar.Contacts())
		}

		r.change()
		settle("0")
		wantStates(t, reg, "")
		p.ExpectNothing(10 * time.Minute)
	}, func(cfg *sip.Config) { cfg.Metrics = sip.NewMetrics(reg) }, only(account("pbx", "secret")))
}

func TestKeepAlivesFollowTheTrunks(t *testing.T) {
	asked := at("carrier", "10.0.1.1")
	asked.Server, asked.Keepalive = "sip:10.0.1.1", time.Minute
	reg := prometheus.NewRegistry()
	bubble(t, nil, func(r *rig) {
		p, q := r.peer(), r.peer()
		p.ExpectNothing(time.Minute)
		r.change(asked)
		p.Reply(p.Expect("OPTIONS"), 200, "OK")
		wantStates(t, reg, "up{trunk=\"carrier\"} 1\n")

		changed := asked
		changed.Country = "49"
		r.change(changed)
		p.ExpectNothing(50 * time.Second)
		p.Reply(p.Expect("OPTIONS"), 200, "OK")

		changed.Server = "sip:10.0.1.2"
		r.change(changed)
		wantStates(t, reg, "")
		q.Reply(q.Expect("OPTIONS"), 200, "OK")
		wantStates(t, reg, "up{trunk=\"carrier\"} 1\n")
		p.ExpectNothing(10 * time.Minute)

		r.change()
		wantStates(t, reg, "")
	}, func(cfg *sip.Config) { cfg.Metrics = sip.NewMetrics(reg) }, only())
}

// TestTrunksChangeWhileCallsComeAndGo is for the race detector: whoever looks sees the
// one list or the other.
func TestTrunksChangeWhileCallsComeAndGo(t *testing.T) {
	reg := prometheus.NewRegistry()
	one, two := at("a", "10.0.1.1"), at("b", "10.0.1.1")
	one.MaxCalls, two.Server, two.Keepalive = 5, "sip:10.0.1.9", time.Second
	two.Register = &sip.Register{Server: "sip:10.0.1.9", Login: sip.Credentials{Username: "100", Password: "x"}}
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		over := make(chan struct{})
		go func() {
			defer close(over)
			for i := range 200 {
				if err := r.server.SetTrunks([]sip.Trunk{[]sip.Trunk{one, two}[i%2]}); err != nil {
					t.Error(err)
				}
				_, _ = reg.Gather()
				if names := r.server.Unregistered(); len(names) > 1 {
					t.Errorf("Unregistered() = %v", names)
				}
				time.Sleep(7 * time.Millisecond)
			}
		}()
		for range 20 {
			d := p.Call()
			d.Establish()
			time.Sleep(30 * time.Millisecond)
			d.Request("BYE")
			p.Expect("200 BYE")
			r.result()
		}
		<-over
		r.change()
		wantStates(t, reg, "")
	}, func(cfg *sip.Config) { cfg.Metrics = sip.NewMetrics(reg) }, only(one))
}
