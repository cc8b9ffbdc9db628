package sip_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

func TestProbe(t *testing.T) {
	for _, c := range []struct {
		name   string
		server string
		login  bool
		script func(one, two *siptest.Peer)
		want   sip.Health
		err    string
		took   time.Duration
	}{
		{
			"it lives", "sip:10.0.1.1", false, func(one, _ *siptest.Peer) {
				m := one.Expect("OPTIONS")
				time.Sleep(30 * time.Millisecond)
				one.Reply(m, 200, "OK")
			},
			sip.Health{Server: netip.MustParseAddrPort("10.0.1.1:5060"), Network: "UDP", Status: 200, Reason: "OK", RoundTrip: 30 * time.Millisecond},
			"", 30 * time.Millisecond,
		},
		{
			"it challenges", "sip:10.0.1.1", true, func(one, _ *siptest.Peer) {
				server := siptest.Registrar{Realm: "pbx", User: "lab", Password: "secret"}
				server.Take(one, one.Expect("OPTIONS"))
				server.Take(one, one.Expect("OPTIONS"))
			},
			sip.Health{Server: netip.MustParseAddrPort("10.0.1.1:5060"), Network: "UDP", Status: 200, Reason: "Status"},
			"", 0,
		},
		{
			"it challenges, and nobody knows the password", "sip:10.0.1.1", false, func(one, _ *siptest.Peer) {
				one.Reply(one.Expect("OPTIONS"), 401, "Unauthorized", `WWW-Authenticate: Digest realm="pbx", nonce="n"`)
			},
			sip.Health{Server: netip.MustParseAddrPort("10.0.1.1:5060"), Network: "UDP", Status: 401, Reason: "Unauthorized"},
			"", 0,
		},
		{
			"it does not know this", "sip:10.0.1.1", false, func(one, _ *siptest.Peer) {
				one.Reply(one.Expect("OPTIONS"), 405, "Method Not Allowed")
			},
			sip.Health{Server: netip.MustParseAddrPort("10.0.1.1:5060"), Network: "UDP", Status: 405, Reason: "Method Not Allowed"},
			"", 0,
		},
		{
			"it is overloaded", "sip:10.0.1.1", false, func(one, _ *siptest.Peer) {
				one.Reply(one.Expect("OPTIONS"), 503, "Overloaded")
			},
			sip.Health{Server: netip.MustParseAddrPort("10.0.1.1:5060"), Network: "UDP", Status: 503, Reason: "Overloaded"},
			"sip: 503 Overloaded", 0,
		},
		{
			"the second lives", "sip:carrier.example", false, func(one, two *siptest.Peer) {
				one.Expect("OPTIONS")
				two.Reply(two.Expect("OPTIONS"), 200, "OK")
			},
			sip.Health{Server: netip.MustParseAddrPort("10.0.1.2:5060"), Network: "UDP", Status: 200, Reason: "OK"},
			"", 8 * time.Second,
		},
		{"silence", "sip:10.0.1.1", false, func(one, _ *siptest.Peer) { one.Expect("OPTIONS") }, sip.Health{}, "sip: probe 10.0.1.1:5060 over UDP: sip: no answer", 8 * time.Second},
		{"no such name", "sip:nothing.example", false, func(*siptest.Peer, *siptest.Peer) {}, sip.Health{}, "sip: resolve nothing.example: lookup nothing.example: no such host", 0},
		{"no server", "", false, func(*siptest.Peer, *siptest.Peer) {}, sip.Health{}, "sip: probe: trunk carrier has no server", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				one, two := r.peer(), r.peer()
				began := time.Now()
				var got sip.Health
				var err error
				var probing sync.WaitGroup
				probing.Go(func() { got, err = r.server.Probe(context.Background(), "carrier") })
				c.script(one, two)
				probing.Wait()
				if took := time.Since(began); took != c.took {
					t.Errorf("it took %v, want %v", took, c.took)
				}
				if diff := cmp.Diff(c.want, got, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
					t.Error(diff)
				}
				if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
					t.Errorf("Probe() = %v", err)
				}
				var refused *sip.StatusError
				if errors.As(err, &refused) != (c.want.Status == 503) {
					t.Errorf("Probe() = %#v", err)
				}
			}, resolving(twoServers), oneTrunk(func(t *sip.Trunk) {
				t.Name, t.Server = "carrier", c.server
				if c.login {
					t.Login = sip.Credentials{Username: "lab", Password: "secret"}
				}
			}))
		})
	}
}

func TestProbeOfNobody(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		if _, err := r.server.Probe(context.Background(), "nobody"); err == nil {
			t.Error("a trunk that is not there lives")
		}
	})
}

func TestProbeGivesUp(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		late := errors.New("no answer within 3s")
		ctx, cancel := context.WithTimeoutCause(context.Background(), 3*time.Second, late)
		defer cancel()
		if _, err := r.server.Probe(ctx, "carrier"); !errors.Is(err, late) || !strings.Contains(err.Error(), "10.0.1.1:5060 over UDP") {
			t.Errorf("Probe() = %v", err)
		}
	}, oneTrunk(func(t *sip.Trunk) { t.Name, t.Server = "carrier", "sip:10.0.1.1" }))
}

// Over TLS a probe tells whether the certificate is to be trusted.
func TestProbeOverTLS(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	for name, c := range map[string]struct {
		files sip.TLS
		want  string
	}{
		"trusted":           {a.sign("far", "far.example"), ""},
		"another name":      {a.sign("else", "else.example"), "not far.example"},
		"another authority": {other.sign("far", "far.example"), "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			far := loopback(t, answerAll(nil), overTLS(c.files))
			near := loopback(t, answerAll(nil), overTLS(a.sign("near", "near.example")), local(func(t *sip.Trunk) {
				t.Server = "sips:far.example:" + port(far.Addrs()[0])
			}))
			got, err := near.Probe(t.Context(), "local")
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("Probe() = %v", err)
			}
			if err == nil && (got.Network != "TLS" || got.Status != 200) {
				t.Errorf("%+v", got)
			}
		})
	}
}
