package sip_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// dialled is what Dial returned.
type dialled struct {
	call *sip.Call
	err  error
}

// dial calls the peer at 10.0.1.1 in the background.
func (r *rig) dial(ctx context.Context, out sip.Dial) <-chan dialled {
	if out.To == "" {
		out.To = "sip:bob@10.0.1.1:5060"
	}
	done := make(chan dialled, 1)
	go func() {
		c, err := r.server.Dial(ctx, out)
		done <- dialled{c, err}
	}()
	return done
}

func TestDial(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		var states []int
		done := r.dial(context.Background(), sip.Dial{
			From: "+14155550100", Headers: map[string]string{"X-Test": "yes"},
			OnState: func(status int) { states = append(states, status) },
		})
		invite := p.Expect("INVITE")
		req := invite.Request()
		if req.From().Address.User != "+14155550100" || req.GetHeader("X-Test") == nil || req.Contact() == nil {
			t.Errorf("INVITE:\n%s", invite.Raw)
		}
		if !strings.Contains(string(req.Body()), "m=audio 40002 RTP/AVP 0 8 101\r\n") {
			t.Errorf("offer:\n%s", req.Body())
		}
		p.Reply(invite, 100, "Trying")
		p.Reply(invite, 180, "Ringing")
		time.Sleep(2 * time.Minute) // ringing may take its time
		for range 12 {
			p.Reply(invite, 183, "Session Progress")
		}
		p.Reply(invite, 200, "OK", "Record-Route: <sip:10.0.1.1;lr>", siptest.SDPWith("10.0.1.1", 40000, "8"))
		ack := p.Expect("ACK")
		if got := ack.Request().Recipient.String(); got != "sip:peer@10.0.1.1:5060" {
			t.Errorf("ACK to %s", got)
		}
		if ack.Request().Route() == nil {
			t.Error("ACK without Route")
		}
		d := <-done
		if d.err != nil {
			t.Fatal(d.err)
		}
		if d.call.Codec() != media.PCMA || d.call.From() != "+14155550100" || d.call.To() != "bob" {
			t.Errorf("%v from %s to %s", d.call.Codec(), d.call.From(), d.call.To())
		}
		p.Reply(invite, 200, "OK", siptest.SDPWith("10.0.1.1", 40000, "8")) // our ACK was lost
		p.Expect("ACK")

		ctx, hangUp := context.WithCancelCause(context.Background())
		go func() { r.ended <- d.call.Run(ctx, silence{}, silence{}) }()
		time.Sleep(10 * time.Second)
		hangUp(media.AgentHungUp)
		p.Reply(p.Expect("BYE"), 200, "OK")
		r.wantCause(media.AgentHungUp)
		if diff := cmp.Diff(append([]int{100, 180}, repeat(183, 12)...), states); diff != "" {
			t.Error(diff)
		}
	})
}

func repeat(n, times int) []int {
	ns := make([]int, times)
	for i := range ns {
		ns[i] = n
	}
	return ns
}

func TestDialledPeerHangsUp(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		done := r.dial(context.Background(), sip.Dial{})
		invite := p.Expect("INVITE")
		p.Reply(invite, 200, "OK", offer())
		ack := p.Expect("ACK")
		d := <-done
		if d.err != nil {
			t.Fatal(d.err)
		}
		go func() { r.ended <- d.call.Run(context.Background(), silence{}, silence{}) }()
		time.Sleep(time.Second)
		p.Send("BYE " + invite.Request().Contact().Address.String() + " SIP/2.0\n" +
			"Via: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bK-bye;rport\nMax-Forwards: 70\n" +
			"From: " + ack.To().Value() + "\nTo: " + ack.From().Value() + "\nCall-ID: " + ack.CallID().Value() +
			"\nCSeq: 1 BYE\nContent-Length: 0\n\n")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

func TestDialRefused(t *testing.T) {
	for status, cause := range map[int]media.Cause{
		486: media.Busy, 600: media.Busy, 480: media.NoAnswer, 404: media.NoRoute, 488: media.NotAcceptable, 403: media.Rejected, 302: media.Rejected,
	} {
		bubble(t, nil, func(r *rig) {
			p := r.peer()
			done := r.dial(context.Background(), sip.Dial{})
			invite := p.Expect("INVITE")
			p.Reply(invite, status, "No", "Reason: SIP;cause=200")
			ack := p.Expect("ACK")
			if a, b := ack.Via().Value(), invite.Via().Value(); a != b {
				t.Errorf("the ACK's Via is %s, the INVITE's %s", a, b) // RFC 3261 §17.1.1.3
			}
			p.Reply(invite, status, "No") // our ACK was lost
			p.Expect("ACK")
			d := <-done
			var refused *sip.StatusError
			if !errors.As(d.err, &refused) || refused.Status != status || refused.Header != "SIP;cause=200" {
				t.Errorf("Dial() = %v", d.err)
			}
			if got := media.CauseOf(d.err); got != cause {
				t.Errorf("%d is %v, want %v", status, got, cause)
			}
		})
	}
}

func TestDialToNobody(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		start := time.Now()
		done := r.dial(context.Background(), sip.Dial{})
		if d := <-done; media.CauseOf(d.err) != media.NoAnswer {
			t.Errorf("Dial() = %v", d.err)
		}
		if d := time.Since(start); d != 32*time.Second {
			t.Errorf("it took %v", d)
		}
		if n := r.net.Sent(); n != 7 { // at 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s (RFC 3261 §17.1.1.2)
			t.Errorf("%d INVITEs", n)
		}
	})
}

func TestDialCancelled(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		ctx, cancel := context.WithCancelCause(context.Background())
		done := r.dial(ctx, sip.Dial{})
		invite := p.Expect("INVITE")
		cancel(media.OperatorHungUp)
		if d := <-done; !errors.Is(d.err, media.OperatorHungUp) {
			t.Errorf("Dial() = %v", d.err)
		}
		p.ExpectNothing(400 * time.Millisecond) // no CANCEL before a provisional response (RFC 3261 §9.1)
		p.Reply(invite, 180, "Ringing")
		c := p.Expect("CANCEL")
		if a, b := c.Via().Value(), invite.Via().Value(); a != b {
			t.Errorf("the CANCEL's Via is %s, the INVITE's %s", a, b)
		}
		p.Reply(c, 200, "OK")
		p.Reply(invite, 487, "Request Terminated")
		p.Expect("ACK")
		p.ExpectNothing(time.Minute)
	})
}

func TestCancelCrossesTheAnswer(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		ctx, cancel := context.WithCancel(context.Background())
		done := r.dial(ctx, sip.Dial{})
		invite := p.Expect("INVITE")
		p.Reply(invite, 180, "Ringing")
		time.Sleep(time.Second)
		cancel()
		if d := <-done; !errors.Is(d.err, context.Canceled) {
			t.Errorf("Dial() = %v", d.err)
		}
		p.Reply(p.Expect("CANCEL"), 481, "Too late")
		p.Reply(invite, 200, "OK", offer())
		p.Expect("ACK")
		p.Reply(p.Expect("BYE"), 200, "OK")
		p.ExpectNothing(time.Minute)
		if n := r.server.Calls(); n != 0 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestCancelThatLeadsToNothing(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		ctx, cancel := context.WithCancel(context.Background())
		done := r.dial(ctx, sip.Dial{})
		p.Reply(p.Expect("INVITE"), 180, "Ringing")
		time.Sleep(time.Second)
		cancel()
		<-done
		p.Reply(p.Expect("CANCEL"), 200, "OK")
		time.Sleep(2 * time.Minute)
		if server, client := r.server.Transactions(); server+client != 0 {
			t.Errorf("%d and %d transactions are left", server, client)
		}
	})
}

func TestForkedInviteKeepsOneAnswer(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		done := r.dial(context.Background(), sip.Dial{})
		invite := p.Expect("INVITE")
		p.Reply(invite, 200, "OK", offer())
		p.Expect("ACK")
		d := <-done
		if d.err != nil {
			t.Fatal(d.err)
		}
		// Another phone picks up as well.
		p.Send("SIP/2.0 200 OK\nVia: " + invite.Via().Value() + "\nFrom: " + invite.From().Value() +
			"\nTo: " + invite.To().Value() + ";tag=other\nCall-ID: " + invite.CallID().Value() + "\nCSeq: " + invite.CSeq().Value() +
			"\nContact: <sip:other@10.0.1.1:5060>\nContent-Length: 0\n\n")
		if got := p.Expect("ACK").Request().Recipient.User; got != "other" {
			t.Errorf("ACK to %s", got)
		}
		bye := p.Expect("BYE")
		if got := bye.Request().Recipient.User; got != "other" {
			t.Errorf("BYE to %s", got)
		}
		p.Reply(bye, 200, "OK")
		go func() { r.ended <- d.call.Run(context.Background(), silence{}, silence{}) }()
		r.stop() // a call out ends with the server, too
		p.Reply(p.Expect("BYE"), 200, "OK")
		r.wantCause(media.Shutdown)
	})
}

func TestAnswerWithoutACommonCodec(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		done := r.dial(context.Background(), sip.Dial{})
		p.Reply(p.Expect("INVITE"), 200, "OK", siptest.SDPWith("10.0.1.1", 40000, "18"))
		p.Expect("ACK")
		p.Reply(p.Expect("BYE"), 200, "OK")
		if d := <-done; media.CauseOf(d.err) != media.NotAcceptable {
			t.Errorf("Dial() = %v", d.err)
		}
	})
}

func TestDialThatCannotBegin(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		for _, out := range []sip.Dial{
			{To: "bob"},
			{To: "tel:+1415"},
			{To: "sip:bob@nowhere.example"},
			{To: "sip:bob@10.0.1.1;transport=sctp"},
			{To: "sip:bob@10.0.1.1", Trunk: "none"},
			{To: "sip:bob@10.0.1.1", Headers: map[string]string{"X": "a\r\nB: c"}},
		} {
			if c, err := r.server.Dial(context.Background(), out); err == nil {
				t.Errorf("Dial(%+v) = %v", out, c)
			}
		}
	})
}

// Whoever places calls passes on what others have written.
func TestAddressesThatWouldBeMoreThanOne(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		for _, out := range []sip.Dial{
			{To: "sip:bob@10.0.1.1;x=a\r\nX-Evil: 1"},
			{To: "sip:bob@10.0.1.1?X=a\nX-Evil: 1"},
			{To: "sip:bob@10.0.1.1 SIP/2.0"},
			{To: "sip:bob>,<sip:eve@10.0.1.1"},
			{To: "sip:bob\x00@10.0.1.1"},
			{To: "100\r\n", Trunk: "pbx"},
			{To: "100\t", Trunk: "pbx"},
			{To: "100", Trunk: "pbx", From: "sip:a@b\r\nX-Evil: 1"},
			{To: "100", Trunk: "pbx", From: "1\t2"},
			{To: "100", Trunk: "pbx", Asserted: "sip:a@b>\r\nX-Evil: <1"},
		} {
			if err := r.server.Dialable(out); err == nil {
				t.Errorf("%+v can be dialled", out)
			}
			if _, err := r.server.Dial(context.Background(), out); err == nil {
				t.Errorf("%+v was dialled", out)
			}
		}
		if n := r.net.Sent(); n != 0 {
			t.Errorf("%d datagrams were sent", n)
		}
	}, func(cfg *sip.Config) { cfg.Trunks = []sip.Trunk{{Name: "pbx", Server: "sip:10.0.1.1"}} })
}

// A transfer that was given up while its target began to ring must not let the caller
// hear ringing for ever.
func TestNothingIsToldOfACallThatWasGivenUp(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		ctx, giveUp := context.WithCancelCause(context.Background())
		returned := make(chan struct{})
		var states []int
		go func() {
			defer close(returned)
			_, err := r.server.Dial(ctx, sip.Dial{
				To: "sip:bob@10.0.1.1", OnState: func(status int) { states = append(states, status) },
				Early: func(media.Codec) media.Uplink {
					giveUp(media.AgentHungUp)
					<-returned
					return nil
				},
			})
			if !errors.Is(err, media.AgentHungUp) {
				t.Errorf("Dial() = %v", err)
			}
		}()
		invite := p.Expect("INVITE")
		p.Reply(invite, 183, "Session Progress", offer())
		p.Reply(p.Expect("CANCEL"), 200, "OK")
		p.Reply(invite, 487, "Request Terminated")
		p.Expect("ACK")
		if len(states) > 0 {
			t.Errorf("told of %v", states)
		}
	})
}
