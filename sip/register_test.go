package sip_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// registering makes a server register at the first peer.
func registering(reg *prometheus.Registry, tweak ...func(*sip.Trunk)) func(*sip.Config) {
	return func(cfg *sip.Config) {
		cfg.AcceptUnknown = false
		cfg.Metrics = sip.NewMetrics(reg)
		t := sip.Trunk{Name: "pbx", Register: &sip.Register{
			Server: "sip:10.0.1.1", Login: sip.Credentials{Username: "100", Password: "secret"},
		}}
		for _, f := range tweak {
			f(&t)
		}
		cfg.Trunks = []sip.Trunk{t}
	}
}

// wantRegistered compares the gauge and what Unregistered says.
func (r *rig) wantRegistered(reg *prometheus.Registry, want int) {
	r.t.Helper()
	text := fmt.Sprintf("# HELP callgw_trunk_registered Whether the trunk's registrar has a binding of ours.\n"+
		"# TYPE callgw_trunk_registered gauge\ncallgw_trunk_registered{trunk=\"pbx\"} %d\n", want)
	if err := testutil.GatherAndCompare(reg, strings.NewReader(text), "callgw_trunk_registered"); err != nil {
		r.t.Error(err)
	}
	if names := r.server.Unregistered(); len(names) != 1-want {
		r.t.Errorf("Unregistered() = %v", names)
	}
}

func TestRegistration(t *testing.T) {
	for name, registrar := range map[string]siptest.Registrar{
		"open":            {},
		"MD5":             {Realm: "pbx", User: "100", Password: "secret", QOP: "auth", Algorithm: "MD5"},
		"SHA-256":         {Realm: "pbx", User: "100", Password: "secret", QOP: "auth,auth-int", Algorithm: "SHA-256"},
		"RFC 2069":        {Realm: "pbx", User: "100", Password: "secret"},
		"by a proxy":      {Realm: "pbx", User: "100", Password: "secret", QOP: "auth", Proxy: true},
		"stale":           {Realm: "pbx", User: "100", Password: "secret", QOP: "auth", Stale: true},
		"with two phones": {Others: []string{"<sip:100@10.0.1.77:5060>;expires=7"}},
	} {
		t.Run(name, func(t *testing.T) {
			reg := prometheus.NewRegistry()
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				settle := func() siptest.Message {
					for {
						m := p.Expect("REGISTER")
						if registrar.Take(p, m) == 200 {
							return m
						}
					}
				}
				first := settle()
				time.Sleep(time.Millisecond)
				r.wantRegistered(reg, 1)
				if got := first.Request().Recipient.String(); got != "sip:10.0.1.1" {
					t.Errorf("REGISTER %s", got) // RFC 3261 §10.2: no user
				}
				if to := first.To().Address.String(); to != "sip:100@10.0.1.1" {
					t.Errorf("To: %s", to)
				}
				if c := registrar.Contacts(); len(c) != 1 || !strings.HasPrefix(c[0], "<sip:100@10.0.0.1:5060>") {
					t.Errorf("bound %v", c)
				}
				second := settle()
				if d := second.At.Sub(first.At); d < 130*time.Second || d > 150*time.Second {
					t.Errorf("refreshed after %v of 300 s", d)
				}
				if second.CallID().Value() != first.CallID().Value() || second.CSeq().SeqNo <= first.CSeq().SeqNo {
					t.Error("a refresh that is no refresh") // RFC 3261 §10.2.4
				}
				go r.server.Drain()
				last := settle()
				if expires(last) != "0" || len(registrar.Contacts()) != 0 {
					t.Errorf("at the end:\n%s", last.Raw)
				}
			}, registering(reg))
		})
	}
}

// expires returns the header of that name.
func expires(m siptest.Message) string {
	if h := m.GetHeaders("Expires"); len(h) > 0 {
		return h[0].Value()
	}
	return ""
}

func TestRegistrarWantsALongerLife(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		registrar := siptest.Registrar{Least: 1800}
		var asked []string
		for range 3 {
			m := p.ExpectWithin(time.Hour, "REGISTER")
			asked = append(asked, expires(m))
			registrar.Take(p, m)
		}
		if got := strings.Join(asked, " "); got != "300 1800 1800" {
			t.Errorf("asked for %s", got)
		}
	}, registering(prometheus.NewRegistry()))
}

func TestRegistrarThatShortensIt(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		registrar := siptest.Registrar{Granted: 60}
		first := p.Expect("REGISTER")
		registrar.Take(p, first)
		if d := p.Expect("REGISTER").At.Sub(first.At); d < 26*time.Second || d > 31*time.Second {
			t.Errorf("refreshed after %v of 60 s", d)
		}
	}, registering(prometheus.NewRegistry()))
}

// Each of these fails for ever: attempts grow rarer, and none is made twice at once.
func TestRegistrarThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		registrar siptest.Registrar
		each      int // REGISTERs of one attempt
	}{
		"wrong password": {siptest.Registrar{Realm: "x", User: "100", Password: "other", QOP: "auth"}, 2},
		"auth-int only":  {siptest.Registrar{Realm: "x", User: "100", Password: "secret", QOP: "auth-int"}, 1},
		"403":            {siptest.Registrar{Refuse: 403}, 1},
		"500":            {siptest.Registrar{Refuse: 500}, 1},
		"503":            {siptest.Registrar{Refuse: 503}, 1},
		"423 for ever":   {siptest.Registrar{Refuse: 423, More: []string{"Min-Expires: 10"}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			reg := prometheus.NewRegistry()
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				start := time.Now()
				n := 0
				for time.Since(start) < time.Hour {
					m, ok := p.Next(10 * time.Minute)
					if !ok {
						t.Fatal("it has given up")
					}
					c.registrar.Take(p, m)
					n++
				}
				// 2, 4, 8 … 256, 300, 300 … s, each up to half more or less.
				if attempts := n / c.each; attempts < 12 || attempts > 40 {
					t.Errorf("%d attempts in an hour", attempts)
				}
				r.wantRegistered(reg, 0)
			}, registering(reg))
		})
	}
}

func TestRegistrarAsksForPatience(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		registrar := siptest.Registrar{Refuse: 503, More: []string{"Retry-After: 1000 (maintenance);duration=5"}}
		first := p.Expect("REGISTER")
		registrar.Take(p, first)
		if d := p.ExpectWithin(time.Hour, "REGISTER").At.Sub(first.At); d < 1000*time.Second {
			t.Errorf("again after %v", d)
		}
	}, registering(prometheus.NewRegistry()))
}

// A registrar that falls silent: the binding holds until it lapses, then the gauge
// says so, and calls come again when it is back.
func TestRegistrarThatIsLost(t *testing.T) {
	reg := prometheus.NewRegistry()
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		registrar := siptest.Registrar{}
		registrar.Take(p, p.Expect("REGISTER"))
		time.Sleep(200 * time.Second) // the refresh is under way, and not answered
		r.wantRegistered(reg, 1)
		time.Sleep(110 * time.Second)
		r.wantRegistered(reg, 0)
		count(p) // what came meanwhile
		registrar.Take(p, p.ExpectWithin(10*time.Minute, "REGISTER"))
		time.Sleep(time.Millisecond)
		r.wantRegistered(reg, 1)
	}, registering(reg))
}

// A call is the two parties', not the registrar's.
func TestRegistrarThatIsLostDuringACall(t *testing.T) {
	reg := prometheus.NewRegistry()
	rec := &record{}
	bubble(t, into(rec), func(r *rig) {
		p := r.peer()
		registrar := siptest.Registrar{}
		registrar.Take(p, p.Expect("REGISTER"))
		d := p.Call()
		d.URI = "sip:100@" + gateway
		d.Establish()
		c := <-r.calls
		time.Sleep(310 * time.Second) // the refresh is not answered, and the binding over
		r.wantRegistered(reg, 0)
		p.Skip("REGISTER")
		if n := r.server.Calls(); n != 1 {
			t.Errorf("%d calls", n)
		}
		// It goes on, in both directions.
		d.Invite(siptest.SDP("10.0.1.1", 40000, "sendonly"))
		p.Skip("200 INVITE")
		d.Ack()
		time.Sleep(time.Second)
		if diff := cmp.Diff([]string{"hold"}, rec.seen()); diff != "" {
			t.Error(diff)
		}
		count(p) // what came meanwhile
		registrar.Take(p, p.ExpectWithin(10*time.Minute, "REGISTER"))
		time.Sleep(time.Millisecond)
		r.wantRegistered(reg, 1)
		go func() { _ = c.Hangup(context.Background(), media.AgentHungUp) }()
		p.Reply(p.Skip("BYE"), 200, "OK")
		r.wantCause(media.AgentHungUp)
	}, registering(reg), func(cfg *sip.Config) { cfg.MediaTimeout = -1 })
}

func TestNATIsKeptOpen(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		registrar := siptest.Registrar{}
		registrar.Take(p, p.Expect("REGISTER"))
		m, ok := p.Next(time.Minute)
		if !ok || m.Raw != "\r\n\r\n" {
			t.Errorf("%q came, expected a keep-alive", m.Raw)
		}
	}, registering(prometheus.NewRegistry()))
}

func TestCallsFromTheRegistrarAreTheTrunks(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p, stranger := r.peer(), r.peer()
		registrar := siptest.Registrar{}
		registrar.Take(p, p.Expect("REGISTER"))
		d := p.Call()
		d.URI = "sip:100@" + gateway
		d.Establish()
		c := <-r.calls
		if c.Trunk() != "pbx" || c.To() != "+14155550123" {
			t.Errorf("trunk %q, to %s", c.Trunk(), c.To())
		}
		stranger.Call().Invite(offer())
		stranger.Expect("403 INVITE")
	}, registering(prometheus.NewRegistry()))
}

// Accounts at one registrar are told apart by the user that each has registered; what
// is for none of them, as the number that was dialled, is for one that is registered.
func TestAccountsAtOneRegistrarAreToldApart(t *testing.T) {
	account := func(name, user string) sip.Trunk {
		return sip.Trunk{Name: name, Register: &sip.Register{
			Server: "sip:10.0.1.1", Login: sip.Credentials{Username: user, Password: "secret"},
		}}
	}
	bubble(t, into(&record{}), func(r *rig) {
		p := r.peer()
		for range 3 {
			register := p.Expect("REGISTER")
			if register.From().Address.User == "99" {
				p.Reply(register, 403, "Forbidden")
				continue
			}
			p.Reply(register, 200, "OK", "Contact: "+one(register, "Contact")+";expires=3600")
		}
		for user, want := range map[string]string{"100": "sales", "200": "support", "99": "aaa", "+14155550100": "sales"} {
			d := p.Call()
			d.URI = "sip:" + user + "@10.0.0.1"
			d.Invite(offer())
			ok := p.Skip("200 INVITE")
			d.Learn(ok)
			d.Ack()
			c := <-r.calls
			if got := c.Trunk(); got != want {
				t.Errorf("a call for %s came by trunk %s, want %s", user, got, want)
			}
			d.Request("BYE")
			p.Skip("200 BYE")
			r.wantCause(media.CallerHungUp)
		}
	}, func(cfg *sip.Config) {
		cfg.AcceptUnknown = false
		cfg.Trunks = []sip.Trunk{account("aaa", "99"), account("sales", "100"), account("support", "200")}
	})
}

func TestCallsOutAreTheAccounts(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		registrar := siptest.Registrar{Realm: "pbx", User: "100", Password: "secret", QOP: "auth"}
		for registrar.Take(p, p.Expect("REGISTER")) != 200 {
		}
		for from, want := range map[string]string{
			"": "sip:100@10.0.1.1", "+14155550100": "sip:+14155550100@10.0.1.1", "sip:a@b.example": "sip:a@b.example",
		} {
			done := r.dial(context.Background(), sip.Dial{Trunk: "pbx", From: from, To: "200"})
			invite := p.Expect("INVITE")
			if got := invite.From().Address.String(); got != want {
				t.Errorf("From: %s, want %s", got, want)
			}
			if got := invite.Request().Recipient.String(); got != "sip:200@10.0.1.1" {
				t.Errorf("INVITE %s", got)
			}
			registrar.Take(p, invite)
			p.Expect("ACK")
			if invite = p.Expect("INVITE"); !registrar.Right(invite) {
				t.Errorf("the account's password does not open:\n%s", invite.Raw)
			}
			p.Reply(invite, 486, "Busy")
			p.Expect("ACK")
			<-done
		}
	}, registering(prometheus.NewRegistry()))
}
