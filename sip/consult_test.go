package sip_test

import (
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// Carriers want to know whose the call is that a number of theirs does not make.
func TestTheTargetLearnsWhoCallsAndWhomTheyCalled(t *testing.T) {
	for _, test := range []struct{ own, from, asserted string }{
		{"", "+14155550199", ""},
		{"+14155550111", "+14155550111", "<sip:+14155550111@10.0.0.1>"},
	} {
		t.Run("caller id "+test.own, func(t *testing.T) {
			bubble(t, into(&record{}), func(r *rig) {
				p, d, c := r.talk()
				q := r.peer()
				done := transfer(c, "+14155550177")
				invite := q.Expect("INVITE")
				if got := invite.From().Address.User; got != test.from {
					t.Errorf("From: %s, want %s", got, test.from)
				}
				if got := one(invite, "P-Asserted-Identity"); got != test.asserted {
					t.Errorf("P-Asserted-Identity: %s, want %s", got, test.asserted)
				}
				if got := one(invite, "Diversion"); got != "<sip:+14155550123@10.0.1.2>;reason=unconditional;counter=1" {
					t.Errorf("Diversion: %s", got)
				}
				q.Reply(invite, 403, "Forbidden")
				q.Expect("ACK")
				if err := <-done; err == nil {
					t.Error("the transfer came about")
				}
				d.Request("BYE")
				p.Expect("200 BYE")
				r.wantCause(media.CallerHungUp)
			}, bridging(sip.TransferBridge), func(cfg *sip.Config) { cfg.Trunks[0].CallerID = test.own })
		})
	}
}

// Where the peer can, it joins its caller with the target that we have called.
func TestAttendedTransferByTheTrunk(t *testing.T) {
	for _, test := range []struct {
		name  string
		after func(r *rig, p, q *siptest.Peer, d *siptest.Dialog, done <-chan error)
	}{
		{"comes about", func(r *rig, p, q *siptest.Peer, d *siptest.Dialog, done <-chan error) {
			progress(d, "terminated", "SIP/2.0 200 OK")
			p.Expect("200 NOTIFY")
			if err := <-done; err != nil {
				r.t.Errorf("Transfer() = %v", err)
			}
			p.Reply(p.Expect("BYE"), 200, "OK")
			q.Reply(q.Expect("BYE"), 200, "OK")
			r.wantCause(media.Transferred)
		}},
		{"fails", func(r *rig, p, q *siptest.Peer, d *siptest.Dialog, done <-chan error) {
			progress(d, "terminated", "SIP/2.0 481 Call/Transaction Does Not Exist")
			p.Expect("200 NOTIFY")
			if err := <-done; err == nil {
				r.t.Error("the transfer came about")
			}
			q.Reply(q.Expect("BYE"), 200, "OK")
			p.ExpectNothing(time.Second)
			d.Request("BYE")
			p.Expect("200 BYE")
			r.wantCause(media.CallerHungUp)
		}},
		{"is not told of", func(r *rig, p, q *siptest.Peer, d *siptest.Dialog, done <-chan error) {
			if err := <-done; err == nil || !strings.Contains(err.Error(), "the far end has not told how it went") {
				r.t.Errorf("Transfer() = %v", err)
			}
			q.Reply(q.Expect("BYE"), 200, "OK")
			d.Request("BYE")
			p.Expect("200 BYE")
			r.wantCause(media.CallerHungUp)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, into(&record{}), func(r *rig) {
				p, d, c := r.talk()
				q := r.peer()
				done := transfer(c, "+14155550100")
				invite := q.Expect("INVITE")
				q.Reply(invite, 200, "OK", siptest.SDPWith("10.0.1.2", 50000, "0"))
				q.Expect("ACK")
				refer := p.Expect("REFER")
				want := "<sip:peer@10.0.1.2:5060?Replaces=" + invite.CallID().Value() + "%3Bto-tag%3Dpeer%3Bfrom-tag%3D" +
					invite.From().Params.GetOr("tag", "") + ">"
				if got := one(refer, "Refer-To"); got != want {
					t.Errorf("Refer-To: %s\nwant      %s", got, want)
				}
				p.Reply(refer, 202, "Accepted")
				test.after(r, p, q, d, done)
				time.Sleep(time.Minute)
				if n := r.server.Calls(); n != 0 {
					t.Errorf("%d calls", n)
				}
			}, bridging(sip.TransferAttended))
		})
	}
}
