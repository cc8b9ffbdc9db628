package sip_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// callee is a request of the called side's within the dialog that it has opened.
func callee(invite siptest.Message, tag, method string, cseq int, more ...string) string {
	text := method + " " + invite.Request().Contact().Address.String() + " SIP/2.0\n" +
		fmt.Sprintf("Via: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bK-%s-%d;rport\nMax-Forwards: 70\n", method, cseq) +
		"From: " + invite.To().Value() + ";tag=" + tag + "\nTo: " + invite.From().Value() + "\nCall-ID: " + invite.CallID().Value() +
		fmt.Sprintf("\nCSeq: %d %s\nContact: <sip:peer@10.0.1.1:5060>\n", cseq, method)
	body := ""
	for _, line := range more {
		if strings.HasPrefix(line, "v=0") {
			body = siptest.CRLF(line)
			text += "Content-Type: application/sdp\n"
			continue
		}
		text += line + "\n"
	}
	return text + fmt.Sprintf("Content-Length: %d\n\n", len(body)) + body
}

// hangUp lets a call that was placed run, and hangs it up.
func (r *rig) hangUp(p *siptest.Peer, c *sip.Call) {
	r.t.Helper()
	ctx, hangUp := context.WithCancelCause(context.Background())
	go func() { r.ended <- c.Run(ctx, silence{}, silence{}) }()
	time.Sleep(time.Second)
	hangUp(media.AgentHungUp)
	p.Reply(p.Expect("BYE"), 200, "OK")
	r.wantCause(media.AgentHungUp)
}

func TestReliableRingingOfACallOut(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		var states []int
		done := r.dial(context.Background(), sip.Dial{OnState: func(status int) { states = append(states, status) }})
		invite := p.Expect("INVITE")
		if !strings.Contains(one(invite, "Supported"), "100rel") {
			t.Errorf("Supported: %s", one(invite, "Supported"))
		}
		p.Reply(invite, 180, "Ringing", "Require: 100rel", "RSeq: 8")
		pr := p.Expect("PRACK")
		if got := one(pr, "RAck"); got != "8 1 INVITE" {
			t.Errorf("RAck: %s", got)
		}
		if pr.Request().To().Params.GetOr("tag", "") != "peer" || pr.CSeq().Value() != "2 PRACK" {
			t.Errorf("PRACK:\n%s", pr.Raw)
		}
		p.Reply(pr, 200, "OK")
		p.Reply(invite, 180, "Ringing", "Require: 100rel", "RSeq: 8")   // again
		p.Reply(invite, 183, "Progress", "Require: 100rel", "RSeq: 10") // one is missing
		p.ExpectNothing(time.Second)
		p.Reply(invite, 183, "Progress", "Require: 100rel", "RSeq: 9", siptest.SDPWith("10.0.1.1", 40000, "8"))
		pr = p.Expect("PRACK")
		p.Reply(pr, 200, "OK")
		p.Reply(invite, 200, "OK") // its answer was in the 183
		p.Expect("ACK")
		d := <-done
		if d.err != nil {
			t.Fatal(d.err)
		}
		if d.call.Codec() != media.PCMA {
			t.Errorf("codec %v", d.call.Codec())
		}
		if diff := cmp.Diff([]int{180, 183}, states); diff != "" {
			t.Error(diff)
		}
		go func() { _ = d.call.Hangup(context.Background(), media.AgentHungUp) }()
		bye := p.Expect("BYE")
		if got := bye.CSeq().Value(); got != "4 BYE" {
			t.Errorf("CSeq: %s, after two PRACKs", got)
		}
		p.Reply(bye, 200, "OK")
	})
}

// ear counts the frames that say something.
type ear struct {
	silence
	frames atomic.Int32
}

func (e *ear) Frame(p []byte) {
	if p[0] == 0 { // silence fills the gaps
		e.frames.Add(1)
	}
}

func TestEarlyMediaOfACallOut(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		phone := r.net.Listen("10.0.1.1:40000")
		defer phone.Close()
		before := &ear{}
		var laws []media.Codec
		done := r.dial(context.Background(), sip.Dial{Early: func(codec media.Codec) media.Uplink {
			laws = append(laws, codec)
			return before
		}})
		invite := p.Expect("INVITE")
		ringing := siptest.SDPWith("10.0.1.1", 40000, "8")
		p.Reply(invite, 183, "Progress", ringing)
		p.Reply(invite, 183, "Progress", ringing)
		time.Sleep(2 * time.Minute) // without a sound
		say := func(n int) {
			for i := range n {
				packet := make([]byte, 12+160)
				packet[0], packet[1], packet[3], packet[11] = 0x80, 8, byte(i), 7
				packet[6], packet[7] = byte(i*160>>8), byte(i*160)
				_, _ = phone.WriteToUDPAddrPort(packet, rtpOf(invite))
				time.Sleep(20 * time.Millisecond)
			}
		}
		say(50)
		if n := before.frames.Load(); n < 48 || n > 50 {
			t.Errorf("%d of 50 frames were heard", n)
		}
		if packets, _ := drained(phone); len(packets) > 0 {
			t.Errorf("%d packets were sent before the answer", len(packets))
		}
		p.Reply(invite, 200, "OK", ringing)
		p.Expect("ACK")
		d := <-done
		if d.err != nil {
			t.Fatal(d.err)
		}
		n, after := before.frames.Load(), &ear{}
		ctx, hangUp := context.WithCancelCause(context.Background())
		go func() { r.ended <- d.call.Run(ctx, after, after) }()
		time.Sleep(100 * time.Millisecond)
		say(50)
		if got := after.frames.Load(); got < 48 || before.frames.Load() != n {
			t.Errorf("after the answer %d frames were heard, and %d by whom it no longer concerns", got, before.frames.Load()-n)
		}
		hangUp(media.AgentHungUp)
		p.Reply(p.Expect("BYE"), 200, "OK")
		r.wantCause(media.AgentHungUp)
		if diff := cmp.Diff([]media.Codec{media.PCMA}, laws); diff != "" {
			t.Error(diff)
		}
	}, func(cfg *sip.Config) { cfg.MediaTimeout = 30 * time.Second })
}

// Two phones ring, each with a sound of its own; one answers, then the other.
func TestForkedCallOut(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		var laws []media.Codec
		done := r.dial(context.Background(), sip.Dial{Early: func(codec media.Codec) media.Uplink {
			laws = append(laws, codec)
			return silence{}
		}})
		invite := p.Expect("INVITE")
		p.ReplyAs("one", invite, 183, "Progress", "Require: 100rel", "RSeq: 1", siptest.SDPWith("10.0.1.1", 40000, "8"))
		p.Reply(p.Expect("PRACK"), 200, "OK")
		p.ReplyAs("two", invite, 183, "Progress", "Require: 100rel", "RSeq: 700", siptest.SDPWith("10.0.1.1", 40002, "0"))
		pr := p.Expect("PRACK")
		if got := one(pr, "RAck") + " " + pr.Request().To().Params.GetOr("tag", ""); got != "700 1 INVITE two" {
			t.Errorf("PRACK of %s", got)
		}
		p.Reply(pr, 200, "OK")
		p.ReplyAs("two", invite, 200, "OK", "Contact: <sip:two@10.0.1.1:5060>")
		p.Expect("ACK")
		d := <-done
		if d.err != nil {
			t.Fatal(d.err)
		}
		if d.call.Codec() != media.PCMU {
			t.Errorf("the call speaks %v", d.call.Codec())
		}
		// The other answers too, and repeats it.
		for range 2 {
			p.ReplyAs("one", invite, 200, "OK", "Contact: <sip:one@10.0.1.1:5060>")
			if got := p.Expect("ACK").Request().Recipient.User; got != "one" {
				t.Errorf("ACK to %s", got)
			}
			if bye, ok := p.Next(100 * time.Millisecond); ok {
				if bye.Short() != "BYE" || bye.CSeq().Value() != "3 BYE" {
					t.Errorf("%s came, want one BYE after the PRACK:\n%s", bye.Short(), bye.Raw)
				}
				p.Reply(bye, 200, "OK")
			}
		}
		p.ExpectNothing(time.Minute)
		if diff := cmp.Diff([]media.Codec{media.PCMA, media.PCMU}, laws); diff != "" {
			t.Error(diff)
		}
		r.hangUp(p, d.call)
	})
}

func TestRequestsBeforeTheAnswerOfACallOut(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		done := r.dial(context.Background(), sip.Dial{})
		invite := p.Expect("INVITE")
		p.Reply(invite, 180, "Ringing")
		time.Sleep(time.Millisecond)
		moved := siptest.SDPWith("10.0.1.1", 40004, "0")
		for _, step := range []struct {
			text, want string
		}{
			{callee(invite, "peer", "UPDATE", 5, moved), "491 UPDATE"}, // our offer has no answer yet
			{callee(invite, "peer", "UPDATE", 6), "200 UPDATE"},
			{callee(invite, "peer", "OPTIONS", 7), "200 OPTIONS"},
			{callee(invite, "peer", "BYE", 8), "481 BYE"},
			{callee(invite, "other", "UPDATE", 9), "481 UPDATE"},
		} {
			p.Send(step.text)
			p.Expect(step.want)
		}
		p.Reply(invite, 183, "Progress", "Require: 100rel", "RSeq: 1", offer())
		p.Reply(p.Expect("PRACK"), 200, "OK")
		p.Send(callee(invite, "peer", "UPDATE", 10, moved))
		ok := p.Expect("200 UPDATE")
		if !strings.Contains(string(ok.Body()), "m=audio 40002 RTP/AVP 0") {
			t.Errorf("UPDATE is answered with\n%s", ok.Raw)
		}
		p.Send(callee(invite, "peer", "UPDATE", 11, siptest.SDPWith("10.0.1.1", 40004, "18")))
		p.Expect("488 UPDATE")
		p.Send(callee(invite, "peer", "UPDATE", 4))
		p.Expect("500 UPDATE")
		p.Reply(invite, 200, "OK")
		p.Expect("ACK")
		d := <-done
		if d.err != nil {
			t.Fatal(d.err)
		}
		p.Send(callee(invite, "peer", "UPDATE", 8)) // older than the early ones
		p.Expect("500 UPDATE")
		r.hangUp(p, d.call)
	})
}

// rtpOf returns where the INVITE's sender takes RTP.
func rtpOf(invite siptest.Message) (addr netip.AddrPort) {
	for line := range strings.Lines(string(invite.Body())) {
		if m, ok := strings.CutPrefix(line, "m=audio "); ok {
			port, _, _ := strings.Cut(m, " ")
			return netip.MustParseAddrPort("10.0.0.1:" + port)
		}
	}
	return addr
}
