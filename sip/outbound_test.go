package sip_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

func TestCallerID(t *testing.T) {
	for _, test := range []struct {
		name string
		out  sip.Dial
		want []string // From without its tag, P-Asserted-Identity, Privacy
	}{
		{"none", sip.Dial{}, []string{"<sip:callgw@10.0.0.1>", "", ""}},
		{"a number", sip.Dial{From: "+14155550100"}, []string{"<sip:+14155550100@10.0.0.1>", "", ""}},
		{"a number and a name", sip.Dial{From: "+14155550100", Name: "Example \"\r\nLtd"}, []string{`"Example Ltd" <sip:+14155550100@10.0.0.1>`, "", ""}},
		{"a URI", sip.Dial{From: "sip:a@example.com"}, []string{"<sip:a@example.com>", "", ""}},
		{"an asserted number", sip.Dial{From: "100", Asserted: "+14155550100"}, []string{"<sip:100@10.0.0.1>", "<sip:+14155550100@10.0.0.1>", ""}},
		{"an asserted URI", sip.Dial{Asserted: "sip:a@example.com"}, []string{"<sip:callgw@10.0.0.1>", "<sip:a@example.com>", ""}},
		{
			"withheld",
			sip.Dial{From: "anonymous", Name: "Example", Asserted: "+14155550100"},
			[]string{`"Anonymous" <sip:anonymous@anonymous.invalid>`, "<sip:+14155550100@10.0.0.1>", "id"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				done := r.dial(context.Background(), test.out)
				invite := p.Expect("INVITE")
				from := *invite.Request().From()
				from.Params = nil
				got := []string{from.Value(), one(invite, "P-Asserted-Identity"), one(invite, "Privacy")}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Error(diff)
				}
				p.Reply(invite, 486, "Busy Here")
				p.Expect("ACK")
				<-done
			})
		})
	}
}

func TestCallerIDThatCannotBe(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		for _, out := range []sip.Dial{
			{From: "a b"}, {From: "a@b"}, {From: "sip:"}, {From: "x\r\nY: z"}, {Asserted: "<sip:a@b>"}, {Asserted: "a;b"},
		} {
			out.To = "sip:bob@10.0.1.1"
			if c, err := r.server.Dial(context.Background(), out); err == nil {
				t.Errorf("Dial(%+v) = %v", out, c)
			}
		}
	})
}

func TestCallOutThatIsNotAnsweredInTime(t *testing.T) {
	for limit, want := range map[time.Duration]time.Duration{0: 3 * time.Minute, 20 * time.Second: 20 * time.Second} {
		bubble(t, nil, func(r *rig) {
			p := r.peer()
			start := time.Now()
			done := r.dial(context.Background(), sip.Dial{RingTimeout: limit})
			invite := p.Expect("INVITE")
			p.Reply(invite, 180, "Ringing")
			if d := <-done; media.CauseOf(d.err) != media.NoAnswer {
				t.Errorf("Dial() = %v", d.err)
			}
			if took := time.Since(start); took != want {
				t.Errorf("it took %v", took)
			}
			p.Reply(p.Expect("CANCEL"), 200, "OK")
			p.Reply(invite, 487, "Request Terminated")
			p.Expect("ACK")
		})
	}
}

func TestRedirectIsReported(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		done := r.dial(context.Background(), sip.Dial{})
		p.Reply(p.Expect("INVITE"), 302, "Moved Temporarily",
			"Contact: <sip:b@10.0.1.3>;q=0.2", "Contact: <sip:a@10.0.1.2>;q=0.7", "Contact: <tel:+1415>")
		p.Expect("ACK")
		d := <-done
		var refused *sip.StatusError
		if !errors.As(d.err, &refused) || refused.Status != 302 {
			t.Fatalf("Dial() = %v", d.err)
		}
		if diff := cmp.Diff([]string{"tel:+1415", "sip:a@10.0.1.2", "sip:b@10.0.1.3"}, refused.Contacts); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRedirectIsFollowed(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p, q := r.peer(), r.peer()
		done := r.dial(context.Background(), sip.Dial{Redirects: 2})
		first := p.Expect("INVITE")
		p.Reply(first, 100, "Trying")
		p.Reply(first, 302, "Moved Temporarily", "Contact: <tel:+1415>", "Contact: <sip:alice@10.0.1.2?Subject=x>;q=0.5")
		p.Expect("ACK")
		second := q.Expect("INVITE")
		got := []string{second.Request().Recipient.String(), second.CallID().Value(), second.From().Value(), second.To().Value(), second.CSeq().Value()}
		want := []string{"sip:alice@10.0.1.2", first.CallID().Value(), first.From().Value(), first.To().Value(), "2 INVITE"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		q.Reply(second, 200, "OK", offer())
		q.Expect("ACK")
		d := <-done
		if d.err != nil {
			t.Fatal(d.err)
		}
		r.hangUp(q, d.call)
	})
}

func TestRedirectsThatGoInCircles(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		done := r.dial(context.Background(), sip.Dial{Redirects: 2})
		for range 3 {
			p.Reply(p.Expect("INVITE"), 301, "Moved", "Contact: <sip:bob@10.0.1.1>")
			p.Expect("ACK")
		}
		d := <-done
		var refused *sip.StatusError
		if !errors.As(d.err, &refused) || refused.Status != 301 {
			t.Errorf("Dial() = %v", d.err)
		}
		p.ExpectNothing(time.Minute)
	})
}

// The call is given up in the very moment in which it is redirected.
func TestCancelCrossesARedirect(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p, q := r.peer(), r.peer()
		ctx, cancel := context.WithCancel(context.Background())
		done := r.dial(ctx, sip.Dial{Redirects: 1})
		invite := p.Expect("INVITE")
		p.Reply(invite, 180, "Ringing")
		time.Sleep(time.Second)
		cancel()
		<-done
		p.Reply(invite, 302, "Moved", "Contact: <sip:bob@10.0.1.2>")
		p.Skip("ACK")
		q.ExpectNothing(time.Minute)
	})
}

func TestSessionTimerOfACallOut(t *testing.T) {
	for _, test := range []struct {
		name, expires, allow string
		refresh              string // what we send, "" if the peer is to refresh
	}{
		{"we refresh by UPDATE", "600;refresher=uac", "INVITE, UPDATE", "UPDATE"},
		{"we refresh by re-INVITE", "600;refresher=uac", "INVITE", "INVITE"},
		{"the peer refreshes", "600;refresher=uas", "INVITE, UPDATE", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				done := r.dial(context.Background(), sip.Dial{})
				invite := p.Expect("INVITE")
				if got := one(invite, "Session-Expires") + " " + one(invite, "Min-SE"); got != "1800 90" {
					t.Errorf("asked for %s", got)
				}
				p.Reply(invite, 422, "Session Interval Too Small", "Min-SE: 3600")
				p.Expect("ACK")
				invite = p.Expect("INVITE")
				if got := one(invite, "Session-Expires") + " " + one(invite, "Min-SE"); got != "3600 3600" {
					t.Errorf("asked for %s after 422", got)
				}
				p.Reply(invite, 200, "OK", "Session-Expires: "+test.expires, "Allow: "+test.allow, "Require: timer", offer())
				ack := p.Expect("ACK")
				d := <-done
				if d.err != nil {
					t.Fatal(d.err)
				}
				go func() { r.ended <- d.call.Run(context.Background(), silence{}, silence{}) }()
				last := ack.At
				for n := range 3 {
					if test.refresh == "" {
						time.Sleep(5 * time.Minute)
						p.Send(callee(invite, "peer", "UPDATE", n+1, "Supported: timer", "Session-Expires: 600;refresher=uac"))
						last = p.Expect("200 UPDATE").At
						continue
					}
					m := p.ExpectWithin(10*time.Minute, test.refresh)
					if after := m.At.Sub(last); after != 5*time.Minute {
						t.Errorf("refreshed after %v", after)
					}
					last = m.At
					if m.Short() == "INVITE" {
						p.Reply(m, 200, "OK", "Session-Expires: 600;refresher=uac", offer())
						p.Expect("ACK")
					} else {
						p.Reply(m, 200, "OK", "Session-Expires: 600;refresher=uac")
					}
				}
				if test.refresh != "" {
					p.ExpectWithin(10*time.Minute, test.refresh) // not answered
				}
				for {
					m, ok := p.Next(20 * time.Minute)
					if !ok {
						t.Fatal("no BYE")
					}
					if m.Short() == "BYE" {
						p.Reply(m, 200, "OK")
						break
					}
				}
				if test.refresh == "" && time.Since(last) != 568*time.Second {
					t.Errorf("BYE after %v", time.Since(last))
				}
				r.wantCause(media.LegFailed)
			})
		})
	}
}

// Our re-INVITE meets glare: whoever has chosen the Call-ID waits longer.
func TestGlareOfACallOut(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		done := r.dial(context.Background(), sip.Dial{})
		invite := p.Expect("INVITE")
		p.Reply(invite, 200, "OK", "Session-Expires: 600;refresher=uac", offer())
		p.Expect("ACK")
		d := <-done
		go func() { r.ended <- d.call.Run(context.Background(), silence{}, silence{}) }()
		m := p.ExpectWithin(10*time.Minute, "INVITE")
		p.Reply(m, 491, "Request Pending")
		p.Expect("ACK")
		again := p.Expect("INVITE")
		if wait := again.At.Sub(m.At); wait < 2100*time.Millisecond || wait > 4*time.Second {
			t.Errorf("tried again after %v", wait)
		}
		p.Reply(again, 200, "OK", "Session-Expires: 600;refresher=uac", offer())
		p.Expect("ACK")
		r.stop()
		p.Reply(p.Expect("BYE"), 200, "OK")
		r.wantCause(media.Shutdown)
	})
}
