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

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// record is a bridge that notes what the leg tells it.
type record struct {
	silence
	mu     sync.Mutex
	events []string
}

func (r *record) note(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, s)
}

func (r *record) Digit(d media.Digit) { r.note(d.String()) }

func (r *record) Hold(on bool) {
	if on {
		r.note("hold")
	} else {
		r.note("resume")
	}
}

func (r *record) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.events...)
}

// into serves calls whose bridge is rec, and hands each call over when it is
// answered.
func into(rec *record) func(context.Context, *sip.Call, *rig) {
	return func(ctx context.Context, c *sip.Call, r *rig) {
		var running sync.WaitGroup
		running.Go(func() { r.ended <- c.Run(ctx, rec, rec) })
		_ = c.Ring(ctx)
		_ = c.Answer(ctx)
		r.calls <- c
		running.Wait()
	}
}

func TestHoldAndResume(t *testing.T) {
	rec := &record{}
	bubble(t, into(rec), func(r *rig) {
		p := r.peer()
		d := p.Call()
		first := d.Establish()
		for _, step := range []struct{ attribute, want string }{
			{"sendonly", "a=recvonly"}, {"sendrecv", "a=sendrecv"}, {"inactive", "a=inactive"}, {"sendrecv", "a=sendrecv"},
		} {
			time.Sleep(time.Second)
			d.Invite(siptest.SDP("10.0.1.1", 40000, step.attribute))
			ok := p.Expect("200 INVITE")
			if !strings.Contains(string(ok.Body()), step.want) {
				t.Errorf("%s is answered with\n%s", step.attribute, ok.Body())
			}
			if a, b := originOf(first), originOf(ok); a[1] != b[1] || a[2] == b[2] {
				t.Errorf("o= was %v and is %v: the same session, another version", a, b)
			}
			d.Ack()
		}
		time.Sleep(time.Second)
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
	if diff := cmp.Diff([]string{"hold", "resume", "hold", "resume"}, rec.seen()); diff != "" {
		t.Error(diff)
	}
}

func originOf(m siptest.Message) []string {
	for line := range strings.Lines(string(m.Body())) {
		if o, ok := strings.CutPrefix(line, "o="); ok {
			return strings.Fields(o)
		}
	}
	return nil
}

func TestReinviteIsRepeatedUntilItsACK(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish()
		d.Invite(offer())
		ok := p.Expect("200 INVITE")
		again := p.Expect("200 INVITE")
		if d := again.At.Sub(ok.At); d != 500*time.Millisecond {
			t.Errorf("repeated after %v", d)
		}
		d.Ack()
		p.ExpectNothing(time.Minute)
	})
}

func TestReinviteWithoutOffer(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish()
		d.Invite()
		ok := p.Expect("200 INVITE")
		if !strings.Contains(string(ok.Body()), "m=audio 40002 RTP/AVP 0 8 101\r\n") {
			t.Errorf("the offer does not put the codec first:\n%s", ok.Body())
		}
		// Until its answer is here, another offer is one too many.
		d.Invite(offer())
		res := p.Expect("491 INVITE")
		d.AckFailure(res)
		d.CSeq--
		d.Ack(offer())
		p.ExpectNothing(time.Minute)
		d.CSeq++
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

func TestLateOffer(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite()
		d.Learn(p.Skip("200 INVITE"))
		d.Ack(siptest.SDPWith("10.0.1.1", 40000, "8"))
		time.Sleep(time.Second)
		c := <-r.calls
		if c.Codec() != media.PCMU {
			t.Errorf("the call's law has become %v: whoever serves it has asked before", c.Codec())
		}
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

func TestLateOfferWithoutAnAnswer(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite()
		d.Learn(p.Skip("200 INVITE"))
		d.Ack()
		p.Reply(p.Expect("BYE"), 200, "OK")
		r.wantCause(media.NotAcceptable)
	})
}

func TestReinviteThatCannotBeHadChangesNothing(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish()
		d.Invite(siptest.SDPWith("10.0.1.1", 40000, "18"))
		d.AckFailure(p.Expect("488 INVITE"))
		d.Invite("Content-Type: text/plain", "\nhello")
		res := p.Expect("415 INVITE")
		d.AckFailure(res)
		d.Invite("Require: precondition", offer())
		d.AckFailure(p.Expect("420 INVITE"))
		time.Sleep(10 * time.Second)
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

func TestSecondInviteBeforeTheFirstIsAnswered(t *testing.T) {
	ring := func(ctx context.Context, c *sip.Call, r *rig) {
		_ = c.Ring(ctx)
		r.ended <- c.Run(ctx, silence{}, silence{})
	}
	bubble(t, ring, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		d.Learn(p.Expect("180 INVITE"))
		d.Invite(offer())
		res := p.Expect("500 INVITE")
		if len(res.GetHeaders("Retry-After")) == 0 {
			t.Error("no Retry-After")
		}
		d.AckFailure(res)
		d.Request("BYE") // of an early dialog (RFC 3261 §15.1.2)
		p.Expect("200 BYE")
		p.Expect("487 INVITE")
		r.wantCause(media.CallerCancelled)
	})
}

func TestRequestsWithinADialog(t *testing.T) {
	rec := &record{}
	bubble(t, into(rec), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish()
		time.Sleep(time.Second) // until it runs
		for _, step := range []struct {
			method string
			more   []string
			want   string
		}{
			{"OPTIONS", nil, "200 OPTIONS"},
			{"INFO", nil, "200 INFO"},
			{"INFO", []string{"Content-Type: application/dtmf-relay", "\nSignal=5\nDuration=160\n"}, "200 INFO"},
			{"INFO", []string{"Content-Type: application/dtmf", "\n#\n"}, "200 INFO"},
			{"INFO", []string{"Content-Type: application/dtmf-relay", "\nSignal= 10\nDuration= 160\n"}, "200 INFO"},
			{"INFO", []string{"Content-Type: application/dtmf-relay", "\nSignal=16\n"}, "200 INFO"}, // flash
			{"INFO", []string{"Content-Type: application/dtmf", "\n11\n"}, "200 INFO"},
			{"INFO", []string{"Content-Type: application/dtmf", "\nd=8\nDuration=100\n"}, "200 INFO"},
			{"INFO", []string{"Content-Type: application/dtmf", "\nnothing=8\n"}, "200 INFO"},
			{"INFO", []string{"Content-Type: application/media_control+xml", "\n<x/>"}, "415 INFO"},
			{"UPDATE", nil, "200 UPDATE"},
			{"UPDATE", []string{siptest.SDP("10.0.1.1", 40000, "sendonly")}, "200 UPDATE"},
			{"UPDATE", []string{siptest.SDPWith("10.0.1.1", 40000, "18")}, "488 UPDATE"},
			{"REFER", []string{"Refer-To: <sip:x@y>"}, "405 REFER"},
			{"SUBSCRIBE", []string{"Event: refer"}, "405 SUBSCRIBE"},
			{"MESSAGE", nil, "405 MESSAGE"},
			{"NOTIFY", nil, "481 NOTIFY"},
			{"PRACK", nil, "481 PRACK"},
			{"DANCE", nil, "501 DANCE"},
		} {
			d.Request(step.method, step.more...)
			p.Expect(step.want)
		}
		time.Sleep(time.Second) // the RTP's reader tells of the hold
		d.CSeq -= 5
		d.Request("OPTIONS") // older than what was seen (RFC 3261 §12.2.2)
		p.Expect("500 OPTIONS")
		d.CSeq += 5
		d.Request("BYE")
		p.Expect("200 BYE")
		d.Request("INFO")
		p.Expect("481 INFO")
	})
	if diff := cmp.Diff([]string{"5", "#", "*", "#", "8", "hold"}, rec.seen()); diff != "" {
		t.Error(diff)
	}
}

func TestHangup(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish()
		c := <-r.calls
		done := make(chan error, 2)
		for range 2 { // twice, at once
			go func() { done <- c.Hangup(context.Background(), media.AgentHungUp) }()
		}
		bye := p.Expect("BYE")
		if got := bye.Request().GetHeader("Reason").Value(); got != `Q.850;cause=16;text="agent_hung_up"` {
			t.Errorf("Reason: %s", got)
		}
		if got := bye.Request().Recipient.String(); got != "sip:peer@10.0.1.1:5060" {
			t.Errorf("BYE to %s", got)
		}
		p.Reply(bye, 200, "OK")
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		r.wantCause(media.AgentHungUp)
		if err := c.Hangup(context.Background(), media.Internal); err != nil {
			t.Error(err)
		}
		if err := c.Answer(context.Background()); !errors.Is(err, media.AgentHungUp) {
			t.Errorf("Answer() after the end = %v", err)
		}
	})
}

func TestHangupThatNobodyAnswers(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish()
		c := <-r.calls
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		if err := c.Hangup(ctx, media.AgentHungUp); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Hangup() = %v", err)
		}
		r.wantCause(media.AgentHungUp)
		if d := time.Since(start); d != time.Second {
			t.Errorf("it took %v", d)
		}
		// The BYE goes on in the background (RFC 3261 §17.1.2.2).
		var at []time.Duration
		for range 5 {
			at = append(at, p.Expect("BYE").At.Sub(start))
		}
		ms := time.Millisecond
		if diff := cmp.Diff([]time.Duration{0, 500 * ms, 1500 * ms, 3500 * ms, 7500 * ms}, at); diff != "" {
			t.Error(diff)
		}
		p.Reply(p.Expect("BYE"), 481, "Gone")
		p.ExpectNothing(time.Minute)
	})
}

func TestHangupWaitsForTheACK(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		ok := p.Skip("200 INVITE")
		c := <-r.calls
		done := make(chan error, 1)
		go func() { done <- c.Hangup(context.Background(), media.AgentHungUp) }()
		p.ExpectNothing(200 * time.Millisecond)
		d.Learn(ok)
		d.Ack()
		p.Reply(p.ExpectWithin(10*time.Millisecond, "BYE"), 200, "OK")
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestByesThatCross(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Establish()
		c := <-r.calls
		done := make(chan error, 1)
		go func() { done <- c.Hangup(context.Background(), media.AgentHungUp) }()
		bye := p.Expect("BYE")
		d.Request("BYE")
		p.Expect("200 BYE")
		if err := <-done; err != nil {
			t.Error(err)
		}
		p.Reply(bye, 481, "Gone")
		r.wantCause(media.AgentHungUp) // the first reason counts
	})
}

func TestRequestsFollowTheRouteSet(t *testing.T) {
	for _, test := range []struct {
		name                string
		recordRoute         []string
		uri, first, routes2 string
		to                  string
	}{
		{"no proxy", nil, "sip:peer@10.0.1.1:5060", "", "", "10.0.1.1:5060"},
		{
			"loose routers",
			[]string{"<sip:10.0.2.1;lr>", "<sip:10.0.2.2;lr;x=y>"},
			"sip:peer@10.0.1.1:5060", "<sip:10.0.2.1;lr>", "<sip:10.0.2.2;lr;x=y>", "10.0.2.1:5060",
		},
		{
			"a strict router", // RFC 3261 §12.2.1.1
			[]string{"<sip:10.0.2.1>", "<sip:10.0.2.2;lr>"},
			"sip:10.0.2.1", "<sip:10.0.2.2;lr>", "<sip:peer@10.0.1.1:5060>", "10.0.2.1:5060",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, into(&record{}), func(r *rig) {
				p := r.peer()
				proxy := siptest.NewPeer(r.t, r.net.Listen("10.0.2.1:5060"), netip.MustParseAddrPort(gateway))
				d := p.Call()
				more := []string{offer()}
				for _, rr := range test.recordRoute {
					more = append(more, "Record-Route: "+rr)
				}
				d.Establish(more...)
				c := <-r.calls
				go func() { _ = c.Hangup(context.Background(), media.AgentHungUp) }()
				at := p
				if len(test.recordRoute) > 0 {
					at = proxy
				}
				bye := at.Expect("BYE")
				if got := bye.Request().Recipient.String(); got != test.uri {
					t.Errorf("request URI %s, want %s", got, test.uri)
				}
				var routes []string
				for _, h := range bye.GetHeaders("Route") {
					routes = append(routes, h.Value())
				}
				var want []string
				if test.first != "" {
					want = []string{test.first, test.routes2}
				}
				if diff := cmp.Diff(want, routes); diff != "" {
					t.Error(diff)
				}
				at.Reply(bye, 200, "OK")
				r.wantCause(media.AgentHungUp)
			})
		})
	}
}

func TestTargetRefresh(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p, moved := r.peer(), r.peer()
		d := p.Call()
		d.Establish()
		d.Invite(siptest.SDP("10.0.1.2", 40000), "Contact: <sip:moved@10.0.1.2:5060>")
		p.Expect("200 INVITE")
		d.Ack()
		c := <-r.calls
		go func() { _ = c.Hangup(context.Background(), media.AgentHungUp) }()
		bye := moved.Expect("BYE")
		if got := bye.Request().Recipient.User; got != "moved" {
			t.Errorf("BYE to %s", bye.Request().Recipient.String())
		}
		moved.Reply(bye, 200, "OK")
		r.wantCause(media.AgentHungUp)
	})
}

func TestContactBehindNATIsReachedAtItsSource(t *testing.T) {
	for _, test := range []struct{ contact, source string }{
		{"192.168.1.20", "203.0.113.9"},
		{"100.64.3.4", "203.0.113.9"},
		{"169.254.7.7", "10.0.1.9"},
		{"127.0.0.1", "10.0.1.9"},
		{"0.0.0.0", "10.0.1.9"},
	} {
		t.Run(test.contact, func(t *testing.T) {
			bubble(t, into(&record{}), func(r *rig) {
				p := siptest.NewPeer(r.t, r.net.Listen(test.source+":33333"), netip.MustParseAddrPort(gateway))
				d := p.Call()
				d.Contact = "<sip:peer@" + test.contact + ":5060>"
				d.Establish(siptest.SDP(test.source, 40000))
				c := <-r.calls
				go func() { _ = c.Hangup(context.Background(), media.AgentHungUp) }()
				p.Reply(p.Expect("BYE"), 200, "OK")
				r.wantCause(media.AgentHungUp)
			})
		})
	}
}

func TestMergedInvite(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		p.Skip("200 INVITE")
		p.Send(d.Text("INVITE", d.CSeq, "z9hG4bK-another-way", offer()))
		p.Skip("482 INVITE")
		if n := r.server.Calls(); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestExternalAddressIsAdvertised(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		ok := p.Skip("200 INVITE")
		if got := ok.Response().Contact().Address.String(); got != "sip:callgw@198.51.100.1:5060" {
			t.Errorf("Contact %s", got)
		}
		if !strings.Contains(string(ok.Body()), "c=IN IP4 198.51.100.1\r\n") {
			t.Errorf("SDP\n%s", ok.Body())
		}
	}, func(cfg *sip.Config) { cfg.ExternalIP = netip.MustParseAddr("198.51.100.1") })
}
