package interop_test

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

// behind starts a proxy in front of k.
func (k *kamailio) behind(t *testing.T) *kamailio {
	t.Helper()
	modules, err := filepath.Glob("/usr/lib/*/kamailio/modules/rr.so")
	if err != nil || len(modules) == 0 {
		t.Fatalf("kamailio's modules: %v %v", modules, err)
	}
	port := freePort(t)
	edge := &kamailio{port: port, secure: port, cert: k.cert, config: filepath.Join(t.TempDir(), "edge.cfg")}
	edge.configure(t, "edge.cfg", "@MODULES@", filepath.Dir(modules[0]), "@PORT@", fmt.Sprint(port), "@NEXT@", fmt.Sprint(k.port))
	edge.start(t)
	return edge
}

// routed is a request of a dialog as a proxy saw it, before it took its own entry
// from the route.
type routed struct {
	method, target string
	route          []string
}

var routedLine = regexp.MustCompile(`routed: (\S+) (\S+) <- \S+ route (.*) then (.*) end`)

// routed returns the requests of dialogs that went through k, which is stopped.
func (k *kamailio) routed(method string) (seen []routed) {
	for _, m := range routedLine.FindAllStringSubmatch(k.log, -1) {
		if m[1] != method {
			continue
		}
		r := routed{method: m[1], target: m[2]}
		for entry := range strings.SplitSeq(m[3]+","+m[4], ",") {
			if entry = strings.TrimSpace(entry); entry != "" && entry != "<null>" {
				r.route = append(r.route, entry)
			}
		}
		if method == "ACK" && !strings.Contains(strings.Join(r.route, ","), "ftag=") {
			continue // RFC 3261 §17.1.1.3: of the challenge, hop by hop, by the INVITE's route
		}
		seen = append(seen, r)
	}
	return seen
}

// Two proxies stay in the path. Every request of the dialog goes through both, from
// either side: RFC 3261 §12.2.1.1, with both entries at the first and one at the
// second, and the other side's Contact as its target.
func TestTwoRecordRouteHops(t *testing.T) {
	t.Parallel()
	own(t)
	for _, c := range []struct {
		name, user    string
		caller, other media.Cause
	}{
		{"caller hangs up", userTone, media.AgentHungUp, media.CallerHungUp},
		{"called side hangs up", userBye, media.CallerHungUp, media.AgentHungUp},
	} {
		t.Run(c.name, func(t *testing.T) {
			core := startKamailio(t, "MD5")
			edge := core.behind(t)
			caller, _ := edge.registered(t, "100", "udp")
			called, _ := core.registered(t, c.user, "udp")
			call, err := caller.server.Dial(t.Context(), sip.Dial{Trunk: "pbx", From: "100", To: c.user})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeoutCause(t.Context(), 1500*time.Millisecond, media.AgentHungUp)
			defer cancel()
			if err := call.Run(ctx, &echo{}, &echo{}); media.CauseOf(err) != c.caller {
				t.Errorf("Run() = %v, want %v", err, c.caller)
			}
			e := called.ended(t, 1)[0]
			if e.cause != c.other {
				t.Errorf("the other side: %v, want %v", e.cause, c.other)
			}
			hops := strings.Split(strings.Join(e.recorded, ","), ",")
			if len(hops) != 2 || !strings.Contains(hops[0], fmt.Sprint(core.port)) || !strings.Contains(hops[1], fmt.Sprint(edge.port)) {
				t.Errorf("Record-Route %q, want the core and then the edge", hops)
			}
			edge.stop()
			core.stop()
			// The caller's requests meet the edge first, those of the called side the core.
			wantRouted(t, "ACK", called.udp, edge, core)
			if c.user == userBye {
				wantRouted(t, "BYE", caller.udp, core, edge)
			} else {
				wantRouted(t, "BYE", called.udp, edge, core)
			}
			saw(t, kamailioPeer, "Record-Route", "two proxies in the path, loose routing of ACK and BYE seen at both (%s)", c.name)
		})
	}
}

// The first proxy is callgw's outbound proxy (RFC 3261 §8.1.2), both stay in the path,
// and the session is refreshed twice, by either side.
func TestSessionTimersThroughAnOutboundProxy(t *testing.T) {
	t.Parallel()
	own(t)
	for _, c := range []struct{ name, refresher string }{
		{"called side refreshes", "1"}, {"caller refreshes", "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			core := startKamailio(t, "SHA-256")
			edge := core.behind(t)
			caller, _ := core.registered(t, "100", "udp", sixSeconds, func(cfg *sip.Config) {
				cfg.Trunks[0].Proxy = edge.server("udp") + ";lr"
			})
			phone := core.softphone(t, "101", c.refresher)
			call := place(t, caller, sip.Dial{Trunk: "pbx", To: "101"})
			ours := c.refresher == "2"
			if ours {
				phone.logs("UPDATE sip:101@", 2)
			} else {
				phone.logs("UPDATE sip:callgw@", 2)
			}
			call.end(t)
			phone.await("ended")
			share := 100 * call.heardShare(t, 440)
			edge.stop()
			core.stop()
			wantRouted(t, "ACK", phone.addr, edge, core)
			if ours {
				wantRouted(t, "UPDATE", phone.addr, edge, core)
			} else {
				wantRouted(t, "UPDATE", caller.udp, core, edge)
			}
			wantRouted(t, "BYE", phone.addr, edge, core)
			saw(t, kamailioPeer, "outbound proxy", "two proxies in the path, the first as callgw's outbound proxy: the %s twice by UPDATE along the route; %.0f %% of what is heard is linphone's file", c.name, share)
		})
	}
}

// wantRouted wants a request, and what is repeated of it, that had both proxies in
// its route at the first and the second alone at the second.
func wantRouted(t *testing.T, method, contact string, first, second *kamailio) {
	t.Helper()
	for _, at := range []struct {
		proxy *kamailio
		route []*kamailio
	}{{first, []*kamailio{first, second}}, {second, []*kamailio{second}}} {
		seen := at.proxy.routed(method)
		if len(seen) == 0 {
			t.Errorf("no %s at port %d", method, at.proxy.port)
		}
		for _, r := range seen {
			ok := len(r.route) == len(at.route) && strings.Contains(r.target, contact)
			for i := 0; ok && i < len(at.route); i++ {
				ok = strings.Contains(r.route[i], fmt.Sprint(at.route[i].port)) && strings.Contains(r.route[i], ";lr")
			}
			if !ok {
				t.Errorf("%s at port %d: to %s by %q, want to %s by %d proxies", method, at.proxy.port, r.target, r.route, contact, len(at.route))
			}
		}
	}
}
