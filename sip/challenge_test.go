package sip_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// demanding is a peer that challenges every request within a call, and notes whether
// their numbers grow (RFC 3261 §12.2.1.1).
type demanding struct {
	siptest.Registrar
	t    *testing.T
	p    *siptest.Peer
	last uint32
}

func newDemanding(t *testing.T, p *siptest.Peer, proxy bool) *demanding {
	return &demanding{t: t, p: p, Registrar: siptest.Registrar{
		Realm: "pbx", User: "lab", Password: "secret", QOP: "auth", Algorithm: "SHA-256", Proxy: proxy,
	}}
}

// expect waits for a request, challenges it, and returns it as it comes again with the
// right answer. A challenged INVITE is acknowledged by its own number.
func (d *demanding) expect(method string) siptest.Message {
	d.t.Helper()
	first := d.p.ExpectWithin(time.Hour, method)
	d.count(first)
	status := 401
	if d.Proxy {
		status = 407
	}
	if got := d.Take(d.p, first); got != status {
		d.t.Fatalf("%s was not challenged but got %d", method, got)
	}
	if method == "INVITE" {
		if ack := d.p.Expect("ACK"); ack.CSeq().SeqNo != first.CSeq().SeqNo {
			d.t.Errorf("ACK of %s has CSeq %s", first.CSeq().Value(), ack.CSeq().Value())
		}
	}
	again := d.p.Expect(method)
	d.count(again)
	switch {
	case !d.Right(again):
		d.t.Errorf("wrong answer:\n%s", again.Raw)
	case again.CallID().Value() != first.CallID().Value() || string(again.Body()) != string(first.Body()):
		d.t.Errorf("it is another request:\n%s\n%s", first.Raw, again.Raw)
	case again.Via().Params.GetOr("branch", "") == first.Via().Params.GetOr("branch", ""):
		d.t.Error("it is the same transaction") // RFC 3261 §22.2, §8.1.3.5
	}
	return again
}

// count notes a request's number.
func (d *demanding) count(m siptest.Message) {
	d.t.Helper()
	if n := m.CSeq().SeqNo; n <= d.last {
		d.t.Errorf("%s after %d", m.CSeq().Value(), d.last)
	}
	d.last = m.CSeq().SeqNo
}

// statuses runs a test with a peer that challenges by 401 and one by 407.
func statuses(t *testing.T, test func(t *testing.T, proxy bool)) {
	for _, proxy := range []bool{false, true} {
		t.Run(map[bool]string{false: "401", true: "407"}[proxy], func(t *testing.T) { test(t, proxy) })
	}
}

// pbx is a trunk of the peers with an account of ours.
func pbx(cfg *sip.Config) {
	bridging(sip.TransferRefer)(cfg)
	cfg.Trunks[0].Server = "sip:10.0.1.1"
	cfg.Trunks[0].Login = sip.Credentials{Username: "lab", Password: "secret"}
}

func TestRefreshIsChallenged(t *testing.T) {
	for _, c := range []struct{ allow, method string }{
		{"Allow: INVITE, ACK, BYE, UPDATE", "UPDATE"}, {"Allow: INVITE, ACK, BYE", "INVITE"},
	} {
		t.Run(c.method, func(t *testing.T) {
			statuses(t, func(t *testing.T, proxy bool) {
				bubble(t, nil, func(r *rig) {
					p := r.peer()
					d := p.Call()
					d.Establish("Supported: timer", "Session-Expires: 600;refresher=uas", c.allow, offer())
					server := newDemanding(t, p, proxy)
					for range 2 {
						again := server.expect(c.method)
						var more []string
						if c.method == "INVITE" {
							more = []string{offer()}
						}
						p.Reply(again, 200, "OK", append(more, "Session-Expires: 600;refresher=uac")...)
						if c.method == "INVITE" {
							ack := p.Expect("ACK")
							if ack.CSeq().SeqNo != again.CSeq().SeqNo || !answers(ack, proxy) {
								t.Errorf("ACK:\n%s", ack.Raw)
							}
						}
					}
					r.stop()
					p.Reply(server.expect("BYE"), 200, "OK")
					r.wantCause(media.Shutdown)
				}, pbx)
			})
		})
	}
}

// answers reports whether a message has credentials.
func answers(m siptest.Message, proxy bool) bool {
	return len(m.GetHeaders(map[bool]string{false: "Authorization", true: "Proxy-Authorization"}[proxy])) == 1
}

func TestReferIsChallenged(t *testing.T) {
	statuses(t, func(t *testing.T, proxy bool) {
		bubble(t, into(&record{}), func(r *rig) {
			p, d, c := r.talk()
			server := newDemanding(t, p, proxy)
			done := transfer(c, "+14155550100")
			refer := server.expect("REFER")
			if one(refer, "Refer-To") == "" || one(refer, "Referred-By") == "" {
				t.Errorf("REFER:\n%s", refer.Raw)
			}
			p.Reply(refer, 202, "Accepted")
			// RFC 3515 §2.4.6: the subscription is the REFER's that was accepted.
			d.Request("NOTIFY", "Event: refer;id="+strconv.Itoa(int(refer.CSeq().SeqNo)), "Subscription-State: terminated", "Content-Type: message/sipfrag", "\nSIP/2.0 200 OK\n")
			p.Expect("200 NOTIFY")
			if err := <-done; err != nil {
				t.Errorf("Transfer() = %v", err)
			}
			p.Reply(server.expect("BYE"), 200, "OK")
			r.wantCause(media.Transferred)
		}, pbx)
	})
}

// Two reliable responses: all their PRACKs, and the BYE after them, have numbers of
// their own.
func TestPRACKIsChallenged(t *testing.T) {
	statuses(t, func(t *testing.T, proxy bool) {
		bubble(t, nil, func(r *rig) {
			p := r.peer()
			server := newDemanding(t, p, proxy)
			done := r.dial(context.Background(), sip.Dial{Trunk: "pbx", To: "sip:bob@10.0.1.1"})
			invite := p.Expect("INVITE")
			server.count(invite)
			for _, rseq := range []string{"8", "9"} {
				p.Reply(invite, 180, "Ringing", "Require: 100rel", "RSeq: "+rseq)
				pr := server.expect("PRACK")
				if got := one(pr, "RAck"); got != rseq+" 1 INVITE" {
					t.Errorf("RAck: %s", got)
				}
				p.Reply(pr, 200, "OK")
			}
			p.Reply(invite, 200, "OK", offer())
			if ack := p.Expect("ACK"); ack.CSeq().SeqNo != invite.CSeq().SeqNo {
				t.Errorf("ACK:\n%s", ack.Raw)
			}
			d := <-done
			if d.err != nil {
				t.Fatal(d.err)
			}
			go func() { _ = d.call.Hangup(context.Background(), media.AgentHungUp) }()
			p.Reply(server.expect("BYE"), 200, "OK")
		}, pbx)
	})
}

// A call whose INVITE was challenged by a proxy and by the server goes on with both
// asking again.
func TestBothAreDemanding(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		proxy, server := newDemanding(t, p, true), newDemanding(t, p, false)
		server.Realm = "server"
		done := r.dial(context.Background(), sip.Dial{Trunk: "pbx", To: "sip:bob@10.0.1.1"})
		for _, by := range []*demanding{proxy, server} {
			m := p.Expect("INVITE")
			by.Take(p, m)
			p.Expect("ACK")
		}
		last := p.Expect("INVITE")
		if !proxy.Right(last) || !server.Right(last) {
			t.Errorf("INVITE:\n%s", last.Raw)
		}
		p.Reply(last, 200, "OK", offer())
		p.Expect("ACK")
		d := <-done
		if d.err != nil {
			t.Fatal(d.err)
		}
		go func() { _ = d.call.Hangup(context.Background(), media.AgentHungUp) }()
		for _, by := range []*demanding{proxy, server} {
			by.Take(p, p.Expect("BYE"))
		}
		last = p.Expect("BYE")
		if !proxy.Right(last) || !server.Right(last) || last.CSeq().SeqNo != 6 {
			t.Errorf("BYE:\n%s", last.Raw)
		}
		p.Reply(last, 200, "OK")
	}, pbx)
}

// A peer that calls every answer stale is not answered for ever.
func TestChallengesWithoutEnd(t *testing.T) {
	for _, c := range []struct {
		method string
		begin  func(r *rig, p *siptest.Peer)
		allow  string
	}{
		{"INVITE", func(r *rig, _ *siptest.Peer) {
			r.dial(context.Background(), sip.Dial{Trunk: "pbx", To: "sip:bob@10.0.1.1"})
		}, ""},
		{"UPDATE", nil, "Allow: INVITE, ACK, BYE, UPDATE"},
		{"INVITE", nil, "Allow: INVITE, ACK, BYE"},
		{"BYE", nil, ""},
	} {
		bubble(t, nil, func(r *rig) {
			p := r.peer()
			if c.begin != nil {
				c.begin(r, p)
			} else {
				p.Call().Establish("Supported: timer", "Session-Expires: 600;refresher=uas", c.allow, offer())
			}
			if c.method == "BYE" {
				r.stop()
			}
			for i := range 5 {
				m := p.ExpectWithin(6*time.Minute, c.method)
				p.Reply(m, 401, "Unauthorized", `WWW-Authenticate: Digest realm="pbx", nonce="`+strconv.Itoa(i)+`", stale=true`)
				if c.method == "INVITE" {
					p.Expect("ACK")
				}
			}
			p.ExpectNothing(5 * time.Second)
			r.stop()
			if m, ok := p.Next(time.Minute); ok && m.Request() != nil {
				p.Reply(m, 200, "OK")
			}
		}, pbx)
	}
}
