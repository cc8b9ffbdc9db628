package sip_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// A PBX hands its caller over to another phone: the agent goes on talking, to the
// other.
func TestCallIsReplaced(t *testing.T) {
	for _, late := range []bool{false, true} {
		rec := &record{}
		bubble(t, into(rec), func(r *rig) {
			p, d, c := r.talk("Supported: timer", "Session-Expires: 600;refresher=uas", "Allow: UPDATE")
			q := r.peer()
			phone := r.net.Listen("10.0.1.2:40000")
			defer phone.Close()
			e := q.Call()
			body, answer := siptest.SDP("10.0.1.2", 40000), ""
			if late {
				body, answer = answer, body
			}
			e.Invite("Replaces: "+d.CallID+" ;from-tag="+d.FromTag+"; to-tag="+d.ToTag, "Require: replaces", body)
			ok := q.Expect("200 INVITE")
			e.Learn(ok)
			e.Ack(answer)
			bye := p.Expect("BYE")
			if got := bye.CallID().Value(); got != d.CallID {
				t.Errorf("BYE in %s", got)
			}
			p.Reply(bye, 200, "OK")
			d.Request("OPTIONS")
			p.Expect("481 OPTIONS")
			time.Sleep(time.Second)
			if packets, _ := drained(phone); len(packets) < 40 {
				t.Errorf("%d packets reach the new phone", len(packets))
			}
			if c.ID() != d.CallID {
				t.Errorf("the call's id has become %s", c.ID())
			}
			q.ExpectNothing(10 * time.Minute) // nor is there a session timer any more
			e.Invite(siptest.SDP("10.0.1.2", 40000, "sendonly"))
			q.Expect("200 INVITE")
			e.Ack()
			time.Sleep(time.Second)
			go func() { _ = c.Hangup(context.Background(), media.AgentHungUp) }()
			q.Reply(q.Expect("BYE"), 200, "OK")
			r.wantCause(media.AgentHungUp)
			if n := r.server.Calls(); n != 0 {
				t.Errorf("%d calls", n)
			}
		})
		if diff := cmp.Diff([]string{"hold"}, rec.seen()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestReplacesThatIsRefused(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p, d, _ := r.talk()
		id := d.CallID + ";to-tag=" + d.ToTag + ";from-tag=" + d.FromTag
		for _, test := range []struct {
			name string
			more []string
			want string
		}{
			{"no such call", []string{"Replaces: none;to-tag=a;from-tag=b"}, "481 INVITE"},
			{"the tags the wrong way round", []string{"Replaces: " + d.CallID + ";from-tag=" + d.ToTag + ";to-tag=" + d.FromTag}, "481 INVITE"},
			{"nonsense", []string{"Replaces: what"}, "400 INVITE"},
			{"two", []string{"Replaces: " + id, "Replaces: " + id}, "400 INVITE"},
			{"only if it rings", []string{"Replaces: " + id + ";early-only"}, "486 INVITE"},
			{"no codec in common", []string{"Replaces: " + id, siptest.SDPWith("10.0.1.1", 40000, "18")}, "488 INVITE"},
		} {
			e := p.Call()
			if len(test.more) == 1 || !strings.HasPrefix(test.more[1], "v=0") {
				test.more = append(test.more, offer())
			}
			e.Invite(test.more...)
			res, ok := p.Next(time.Second)
			if !ok || res.Short() != test.want {
				t.Errorf("%s: %s, want %s", test.name, res.Short(), test.want)
				continue
			}
			e.AckFailure(res)
		}
		other := siptest.NewPeer(r.t, r.net.Listen("10.0.7.1:5060"), netip.MustParseAddrPort(gateway))
		e := other.Call()
		e.Invite("Replaces: "+id, siptest.SDP("10.0.7.1", 40000))
		e.AckFailure(other.Expect("403 INVITE")) // of another trunk
		// A call that is not answered yet, or whose answer is on its way.
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	}, func(cfg *sip.Config) {
		cfg.Trunks = []sip.Trunk{{Name: "pbx", From: []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24")}}}
	})
}

func TestReplacesBeforeTheAnswerAndItsACK(t *testing.T) {
	bubble(t, slowly(5*time.Second, &record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		res := p.Expect("180 INVITE")
		d.Learn(res)
		replaces := "Replaces: " + d.CallID + ";to-tag=" + d.ToTag + ";from-tag=" + d.FromTag
		e := p.Call()
		e.Invite(replaces, offer())
		e.AckFailure(p.Expect("481 INVITE"))
		p.Expect("200 INVITE")
		e = p.Call()
		e.Invite(replaces, offer())
		e.AckFailure(p.Skip("500 INVITE"))
		d.Ack()
		d.Request("BYE")
		p.Skip("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

// We join the two calls that we have with a PBX's users.
func TestAttendedTransfer(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p, d, c := r.talk()
		q := r.peer()
		dialled := r.dial(context.Background(), sip.Dial{To: "sip:alice@10.0.1.2"})
		invite := q.Expect("INVITE")
		q.Reply(invite, 200, "OK", siptest.SDP("10.0.1.2", 40000))
		q.Expect("ACK")
		second := <-dialled
		if second.err != nil {
			t.Fatal(second.err)
		}
		go func() { r.ended <- second.call.Run(context.Background(), silence{}, silence{}) }()
		done := make(chan error, 1)
		go func() { done <- c.TransferTo(context.Background(), second.call) }()
		refer := p.Expect("REFER")
		want := "<sip:peer@10.0.1.2:5060?Replaces=" + invite.CallID().Value() + "%3Bto-tag%3Dpeer%3Bfrom-tag%3D" +
			invite.From().Params.GetOr("tag", "") + ">"
		if got := one(refer, "Refer-To"); got != want {
			t.Errorf("Refer-To: %s\nwant      %s", got, want)
		}
		p.Reply(refer, 202, "Accepted")
		progress(d, "terminated", "SIP/2.0 200 OK")
		p.Expect("200 NOTIFY")
		if err := <-done; err != nil {
			t.Errorf("TransferTo() = %v", err)
		}
		p.Reply(p.Expect("BYE"), 200, "OK")
		q.Reply(q.Expect("BYE"), 200, "OK")
		r.wantCause(media.Transferred)
		r.wantCause(media.Transferred)
		if err := c.TransferTo(context.Background(), second.call); err == nil {
			t.Error("calls that are over were joined")
		}
	})
}

func FuzzReplaces(f *testing.F) {
	for _, seed := range []string{"a@b;to-tag=x;from-tag=y", " a ; To-Tag = x;from-tag=y;early-only", ";;", "a;to-tag;from-tag="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		callID, local, remote, ok := sip.ParseReplaces(text)
		if ok && (callID == "" || local == "" || remote == "" || strings.Contains(callID+local+remote, ";")) {
			t.Errorf("%q is %q %q %q", text, callID, local, remote)
		}
	})
}
