package sip_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// one returns the only value of a header, "" when there is none.
func one(m siptest.Message, name string) string {
	var all []string
	for _, h := range m.GetHeaders(name) {
		all = append(all, h.Value())
	}
	return strings.Join(all, " | ")
}

func TestSessionTimerIsAgreedOn(t *testing.T) {
	for _, test := range []struct {
		name             string
		asks             []string
		expires, require string
	}{
		{"no word of it", nil, "", ""},
		{"the peer knows of it", []string{"Supported: timer"}, "1800;refresher=uas", "timer"},
		{"the peer wants less", []string{"Supported: timer", "Session-Expires: 600"}, "600;refresher=uas", "timer"},
		{"the peer wants more", []string{"Supported: timer", "x: 7200"}, "1800;refresher=uas", "timer"},
		{"the peer insists on more", []string{"Supported: timer", "Session-Expires: 7200", "Min-SE: 3600"}, "3600;refresher=uas", "timer"},
		{"the peer refreshes", []string{"Supported: timer", "Session-Expires: 600;refresher=uac"}, "600;refresher=uac", "timer"},
		{"the peer leaves it to us", []string{"Require: timer", "Session-Expires: 600 ; Refresher=UAS"}, "600;refresher=uas", "timer"},
		{"a proxy wants it", []string{"Session-Expires: 600"}, "600;refresher=uas", ""},
		{"a proxy wants it often", []string{"Session-Expires: 30"}, "90;refresher=uas", ""},
		{"nonsense", []string{"Session-Expires: soon"}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				d := p.Call()
				ok := d.Establish(append(test.asks, offer())...)
				if diff := cmp.Diff([]string{test.expires, test.require}, []string{one(ok, "Session-Expires"), one(ok, "Require")}); diff != "" {
					t.Error(diff)
				}
				d.Request("BYE")
				p.Expect("200 BYE")
				r.wantCause(media.CallerHungUp)
			})
		})
	}
}

func TestSessionTimerThatIsTooShort(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite("Supported: timer", "Session-Expires: 60", offer())
		res := p.Expect("422 INVITE")
		if got := one(res, "Min-SE"); got != "90" {
			t.Errorf("Min-SE: %s", got)
		}
		d.AckFailure(res)
		d.Establish("Supported: timer", "Session-Expires: 90;refresher=uac", "Min-SE: 90", offer())
		d.Request("UPDATE", "Supported: timer", "Session-Expires: 60")
		p.Expect("422 UPDATE")
		d.Invite("Supported: timer", "Session-Expires: 60", offer())
		d.AckFailure(p.Expect("422 INVITE"))
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

func TestSessionTimersThatAreOff(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite("Require: timer", "Session-Expires: 600", offer())
		res := p.Expect("420 INVITE")
		d.AckFailure(res)
		ok := d.Establish("Supported: timer", "Session-Expires: 600", offer())
		if got := one(ok, "Session-Expires"); got != "" {
			t.Errorf("Session-Expires: %s", got)
		}
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	}, func(cfg *sip.Config) { cfg.SessionExpires = -1 })
}

// We refresh at half the interval: by UPDATE when the peer takes it.
func TestWeRefreshTheSession(t *testing.T) {
	for _, test := range []struct{ name, allow, want string }{
		{"by UPDATE", "Allow: INVITE, ACK, BYE, UPDATE", "UPDATE"},
		{"by re-INVITE", "Allow: INVITE, ACK, BYE", "INVITE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				d := p.Call()
				first := d.Establish("Supported: timer", "Session-Expires: 600;refresher=uas", test.allow, offer())
				last := first.At
				for range 3 {
					m := p.ExpectWithin(10*time.Minute, test.want)
					if after := m.At.Sub(last); after != 5*time.Minute {
						t.Errorf("refreshed after %v", after)
					}
					last = m.At
					if got := one(m, "Session-Expires"); got != "600;refresher=uac" {
						t.Errorf("Session-Expires: %s", got)
					}
					if m.Request().Contact() == nil {
						t.Error("a target refresh without Contact")
					}
					if test.want == "INVITE" {
						if diff := cmp.Diff(string(first.Body()), string(m.Body())); diff != "" {
							t.Errorf("the description has changed: %s", diff)
						}
						p.Reply(m, 200, "OK", "Session-Expires: 600;refresher=uac", offer())
						p.Expect("ACK")
					} else {
						p.Reply(m, 200, "OK", "Session-Expires: 600;refresher=uac")
					}
				}
				d.Request("BYE")
				p.Expect("200 BYE")
				r.wantCause(media.CallerHungUp)
			})
		})
	}
}

func TestUpdateThatIsRefusedBecomesAReinvite(t *testing.T) {
	for _, status := range []int{403, 405, 420, 488, 500, 501} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				d := p.Call()
				d.Establish("Supported: timer", "Session-Expires: 600;refresher=uas", "Allow: UPDATE", offer())
				p.Reply(p.ExpectWithin(10*time.Minute, "UPDATE"), status, "No")
				p.Reply(p.Expect("INVITE"), 200, "OK", "Session-Expires: 600;refresher=uac", offer())
				p.Expect("ACK")
				p.Reply(p.ExpectWithin(10*time.Minute, "INVITE"), 200, "OK", "Session-Expires: 600;refresher=uac", offer())
				p.Expect("ACK")
				d.Request("BYE")
				p.Expect("200 BYE")
				r.wantCause(media.CallerHungUp)
			})
		})
	}
}

func TestRefreshThatFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(p *siptest.Peer, m siptest.Message)
		after  time.Duration // from the first refresh to the BYE
	}{
		{"the dialog is gone", func(p *siptest.Peer, m siptest.Message) { p.Reply(m, 481, "Gone") }, 0},
		{"no answer", func(*siptest.Peer, siptest.Message) {}, 32 * time.Second},
		{"always refused", func(p *siptest.Peer, m siptest.Message) { p.Reply(m, 500, "No") }, 268 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				d := p.Call()
				d.Establish("Supported: timer", "Session-Expires: 600;refresher=uas", "Allow: UPDATE", offer())
				first := p.ExpectWithin(10*time.Minute, "UPDATE")
				test.answer(p, first)
				for {
					m, ok := p.Next(time.Minute)
					if !ok {
						t.Fatal("nothing came")
					}
					switch m.Short() {
					case "UPDATE", "INVITE":
						test.answer(p, m)
						continue
					case "ACK":
						continue
					}
					if m.Short() != "BYE" || m.At.Sub(first.At) != test.after {
						t.Errorf("%s after %v, want BYE after %v", m.Short(), m.At.Sub(first.At), test.after)
					}
					p.Reply(m, 200, "OK")
					break
				}
				r.wantCause(media.LegFailed)
			})
		})
	}
}

func TestPeerRefreshesTheSession(t *testing.T) {
	for _, method := range []string{"UPDATE", "INVITE"} {
		t.Run(method, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				d := p.Call()
				d.Establish("Supported: timer", "Session-Expires: 600;refresher=uac", offer())
				var last time.Time
				for range 3 {
					p.ExpectNothing(9 * time.Minute)
					more := []string{"Supported: timer", "Session-Expires: 600;refresher=uac"}
					if method == "INVITE" {
						d.Invite(append(more, offer())...)
					} else {
						d.Request(method, more...)
					}
					ok := p.Expect("200 " + method)
					if got := one(ok, "Session-Expires"); got != "600;refresher=uac" {
						t.Errorf("Session-Expires: %s", got)
					}
					if method == "INVITE" {
						d.Ack()
					}
					last = ok.At
				}
				// It stops doing so: BYE 32 s before the session is over.
				bye := p.ExpectWithin(20*time.Minute, "BYE")
				if after := bye.At.Sub(last); after != 568*time.Second {
					t.Errorf("BYE after %v", after)
				}
				p.Reply(bye, 200, "OK")
				r.wantCause(media.LegFailed)
			})
		})
	}
}

// The peer hands the refreshing over in its own refresh.
func TestRefresherChanges(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish("Supported: timer", "Session-Expires: 600;refresher=uac", "Allow: UPDATE", offer())
		time.Sleep(time.Minute)
		d.Request("UPDATE", "Supported: timer", "Session-Expires: 200;refresher=uas", "Allow: UPDATE")
		ok := p.Expect("200 UPDATE")
		m := p.ExpectWithin(2*time.Minute, "UPDATE")
		if after := m.At.Sub(ok.At); after != 100*time.Second {
			t.Errorf("refreshed after %v", after)
		}
		p.Reply(m, 422, "Session Interval Too Small", "Min-SE: 300")
		m = p.Expect("UPDATE")
		if got := one(m, "Session-Expires") + " " + one(m, "Min-SE"); got != "300;refresher=uac 300" {
			t.Errorf("after 422: %s", got)
		}
		p.Reply(m, 200, "OK", "Session-Expires: 300;refresher=uac")
		p.Reply(p.ExpectWithin(3*time.Minute, "UPDATE"), 200, "OK") // without a word: no timer any more
		p.ExpectNothing(time.Hour)
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

// Both sides re-INVITE at the same time (RFC 3261 §14.1).
func TestGlare(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish("Supported: timer", "Session-Expires: 600;refresher=uas", "Allow: INVITE", offer())
		ours := p.ExpectWithin(10*time.Minute, "INVITE")
		d.Invite(offer())
		d.AckFailure(p.Expect("491 INVITE"))
		d.Request("UPDATE", offer())
		p.Expect("491 UPDATE")
		p.Reply(ours, 491, "Request Pending")
		p.Expect("ACK")
		// The peer, which owns the Call-ID, would wait for 2.1 s at least.
		again := p.Expect("INVITE")
		if wait := again.At.Sub(ours.At); wait > 2*time.Second || wait%(10*time.Millisecond) != 0 {
			t.Errorf("tried again after %v", wait)
		}
		p.Reply(again, 200, "OK", "Session-Expires: 600;refresher=uac", offer())
		p.Expect("ACK")
		p.Reply(again, 200, "OK", "Session-Expires: 600;refresher=uac", offer()) // our ACK was lost
		p.Expect("ACK")
		time.Sleep(time.Second) // until the answer is taken
		d.Invite(offer())
		p.Expect("200 INVITE")
		d.Ack()
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

func TestRefreshOfAHeldCallLeavesItOnHold(t *testing.T) {
	rec := &record{}
	bubble(t, into(rec), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish("Supported: timer", "Session-Expires: 600;refresher=uas", "Allow: INVITE", offer())
		d.Invite("Supported: timer", "Session-Expires: 600;refresher=uas", siptest.SDP("10.0.1.1", 40000, "sendonly"))
		p.Expect("200 INVITE")
		d.Ack()
		m := p.ExpectWithin(10*time.Minute, "INVITE")
		if !strings.Contains(string(m.Body()), "a=recvonly\r\n") {
			t.Errorf("the offer is\n%s", m.Body())
		}
		p.Reply(m, 200, "OK", "Session-Expires: 600;refresher=uac", siptest.SDP("10.0.1.1", 40000, "sendonly"))
		p.Expect("ACK")
		c := <-r.calls
		go func() { _ = c.Hangup(context.Background(), media.AgentHungUp) }()
		p.Reply(p.Expect("BYE"), 200, "OK")
		r.wantCause(media.AgentHungUp)
	})
	if diff := cmp.Diff([]string{"hold"}, rec.seen()); diff != "" {
		t.Error(diff)
	}
}

func FuzzSessionExpires(f *testing.F) {
	for _, seed := range []string{"1800", "90;refresher=uac", " 5 ; refresher = UAS;x", "-1", "99999999999", ";refresher=uac"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		interval, refresher, ok := sip.ParseExpires(text)
		if !ok {
			return
		}
		if interval < 0 || interval > 24*time.Hour || refresher != "" && refresher != "uac" && refresher != "uas" {
			t.Errorf("%q is %v, refreshed by %q", text, interval, refresher)
		}
	})
}
