package sip_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

func offer() string { return siptest.SDP("10.0.1.1", 40000) }

func TestResponsesOfAnInvite(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer(), "Record-Route: <sip:10.0.1.9;lr>, <sip:10.0.1.8;lr>")
		trying := p.Expect("100 INVITE")
		if trying.To().Params.Has("tag") {
			t.Error("100 has a To tag")
		}
		ringing := p.Expect("180 INVITE")
		ok := p.Expect("200 INVITE")
		if a, b := ringing.To().Value(), ok.To().Value(); a != b {
			t.Errorf("the To of 180 is %s, that of 200 %s", a, b)
		}
		for _, m := range []siptest.Message{ringing, ok} {
			if got := m.Response().Contact().Address.String(); got != "sip:callgw@10.0.0.1:5060" {
				t.Errorf("%s: Contact %s", m.Short(), got)
			}
			if n := len(m.GetHeaders("Record-Route")); n != 2 {
				t.Errorf("%s: %d Record-Route, want 2:\n%s", m.Short(), n, m.Raw)
			}
		}
		if !strings.Contains(string(ok.Body()), "m=audio 40002 RTP/AVP 0 101\r\n") {
			t.Errorf("the answer is\n%s", ok.Body())
		}
		d.Learn(ok)
		d.Ack()
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

func TestRetransmittedInviteIsAnsweredAlike(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		p.Expect("180 INVITE")
		ok := p.Expect("200 INVITE")
		d.Again(offer())
		p.ExpectNothing(100 * time.Millisecond) // accepted: the dialog repeats the 2xx (RFC 6026 §7.1)
		again := p.Expect("200 INVITE")
		if diff := cmp.Diff(ok.Raw, again.Raw); diff != "" {
			t.Error(diff)
		}
		d.Learn(ok)
		d.Ack()
		p.ExpectNothing(time.Minute)
		if n := r.server.Calls(); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestTwoHundredIsRepeatedUntilTheACK(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		p.Expect("180 INVITE")
		first := p.Expect("200 INVITE")
		var at []time.Duration
		for range 4 {
			at = append(at, p.Expect("200 INVITE").At.Sub(first.At))
		}
		want := []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 3500 * time.Millisecond, 7500 * time.Millisecond}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Error(diff)
		}
		d.Learn(first)
		d.Ack()
		p.ExpectNothing(2 * time.Minute)
	})
}

func TestCallWithoutACKIsHungUp(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		first := p.Skip("200 INVITE")
		bye := p.Skip("BYE")
		if got := bye.At.Sub(first.At); got != 32*time.Second {
			t.Errorf("BYE after %v", got)
		}
		p.Reply(bye, 200, "OK")
		r.wantCause(media.LegFailed)
	})
}

func TestByeBeforeTheACKEndsTheCall(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		d.Learn(p.Skip("200 INVITE"))
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
		p.ExpectNothing(time.Minute)
	})
}

func TestCancel(t *testing.T) {
	ring := func(ctx context.Context, c *sip.Call, r *rig) {
		_ = c.Ring(ctx)
		r.ended <- c.Run(ctx, silence{}, silence{})
	}
	bubble(t, ring, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		ringing := p.Expect("180 INVITE")
		d.Cancel()
		ok := p.Expect("200 CANCEL")
		gone := p.Expect("487 INVITE")
		for _, m := range []siptest.Message{ok, gone} {
			if got, want := m.To().Value(), ringing.To().Value(); got != want {
				t.Errorf("%s: To %s, want %s", m.Short(), got, want)
			}
		}
		r.wantCause(media.CallerCancelled)
		p.Expect("487 INVITE") // until its ACK (RFC 3261 §17.2.1)
		d.AckFailure(gone)
		p.ExpectNothing(time.Minute)
	})
}

func TestCancelRightBehindTheInvite(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		for range 50 {
			p := r.peer()
			d := p.Call()
			d.Invite(offer())
			d.Cancel()
			// Whichever was first, the answer or the CANCEL, one final response.
			p.Skip("200 CANCEL")
			var final string
			for m, ok := p.Next(100 * time.Millisecond); ok; m, ok = p.Next(100 * time.Millisecond) {
				if m.Response().StatusCode >= 200 {
					final = m.Short()
				}
			}
			if final != "487 INVITE" && final != "200 INVITE" && final != "" {
				t.Errorf("final response %q", final)
			}
		}
	})
}

func TestCancelOfNothing(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.CSeq = 1
		d.Cancel()
		p.Expect("481 CANCEL")
	})
}

func TestRefusals(t *testing.T) {
	late := "Retry-After"
	for _, test := range []struct {
		name   string
		send   []string
		method string
		want   string
		header string // that the response must have
	}{
		{name: "no codec in common", send: []string{siptest.SDPWith("10.0.1.1", 40000, "18")}, want: "488 INVITE"},
		{name: "broken SDP", send: []string{"v=0\nnonsense\n"}, want: "400 INVITE"},
		{name: "a body that is not SDP", send: []string{"Content-Type: text/plain", "\nhello"}, want: "415 INVITE", header: "Accept"},
		{name: "a compressed body", send: []string{"Content-Encoding: gzip", offer()}, want: "415 INVITE", header: "Accept-Encoding"},
		{name: "an unknown extension", send: []string{"Require: 100rel, foo", offer()}, want: "420 INVITE", header: "Unsupported"},
		{name: "no hops left", send: []string{"Max-Forwards: 0", offer()}, want: "483 INVITE"},
		{name: "Max-Forwards that is no number", send: []string{"Max-Forwards: many", offer()}, want: "400 INVITE"},
		{name: "no Contact", send: []string{"-Contact", offer()}, want: "400 INVITE"},
		{name: "two Call-IDs", send: []string{"Call-ID: another", offer()}, want: "400 INVITE"},
		{name: "REGISTER", method: "REGISTER", want: "405 REGISTER", header: "Allow"},
		{name: "SUBSCRIBE", method: "SUBSCRIBE", want: "405 SUBSCRIBE", header: "Allow"},
		{name: "REFER", method: "REFER", want: "405 REFER", header: "Allow"},
		{name: "a method nobody knows", method: "DANCE", want: "501 DANCE", header: "Allow"},
		{name: "BYE outside a dialog", method: "BYE", want: "481 BYE"},
		{name: "UPDATE outside a dialog", method: "UPDATE", want: "481 UPDATE"},
		{name: "INFO outside a dialog", method: "INFO", want: "481 INFO"},
		{name: "OPTIONS", method: "OPTIONS", want: "200 OPTIONS", header: "Accept"},
		{name: "OPTIONS without hops", method: "OPTIONS", send: []string{"Max-Forwards: 0"}, want: "200 OPTIONS", header: "Allow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				p := r.peer()
				d := p.Call()
				if test.method != "" {
					d.Request(test.method, test.send...)
				} else {
					d.Invite(test.send...)
				}
				res := p.Expect(test.want)
				if test.header != "" && len(res.GetHeaders(test.header)) == 0 {
					t.Errorf("no %s in\n%s", test.header, res.Raw)
				}
				if !res.To().Params.Has("tag") {
					t.Errorf("no To tag in\n%s", res.Raw)
				}
			})
		})
	}
	t.Run("draining", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			p := r.peer()
			r.server.Drain()
			d := p.Call()
			d.Invite(offer())
			res := p.Expect("503 INVITE")
			if len(res.GetHeaders(late)) == 0 {
				t.Errorf("no Retry-After in\n%s", res.Raw)
			}
			d.AckFailure(res)
			p.Call().Request("OPTIONS")
			p.Expect("503 OPTIONS")
		})
	})
	t.Run("unknown trunk", func(t *testing.T) {
		var rejected []string
		bubble(t, nil, func(r *rig) {
			p := r.peer()
			d := p.Call()
			d.Invite(offer())
			d.AckFailure(p.Expect("403 INVITE"))
			p.ExpectNothing(time.Minute)
		}, func(cfg *sip.Config) {
			cfg.AcceptUnknown = false
			cfg.Rejected = func(trunk string, cause media.Cause) { rejected = append(rejected, trunk+cause.String()) }
		})
		if diff := cmp.Diff([]string{"unknown_trunk"}, rejected); diff != "" {
			t.Error(diff)
		}
	})
}

func TestHandlerRefuses(t *testing.T) {
	for cause, want := range map[error]string{
		media.NoRoute: "404 INVITE", media.Busy: "503 INVITE", media.Rejected: "603 INVITE",
		media.ProviderRefused: "503 INVITE", media.NotAcceptable: "488 INVITE",
		fmt.Errorf("blocked: %w", ownStatus(486)): "486 INVITE",
	} {
		t.Run(cause.Error(), func(t *testing.T) {
			refuse := func(ctx context.Context, c *sip.Call, r *rig) {
				if err := c.Hangup(ctx, cause); err != nil {
					t.Error(err)
				}
				r.ended <- c.Run(ctx, silence{}, silence{})
			}
			bubble(t, refuse, func(r *rig) {
				p := r.peer()
				d := p.Call()
				d.Invite(offer())
				res := p.Expect(want)
				d.AckFailure(res)
				if has := len(res.GetHeaders("Retry-After")) > 0; has != strings.HasPrefix(want, "503") {
					t.Errorf("Retry-After is %v in\n%s", has, res.Raw)
				}
				r.wantCause(media.CauseOf(cause))
			})
		})
	}
}

// ownStatus is a rejection with a status of the dialplan's.
type ownStatus int

func (s ownStatus) Error() string  { return "rejected" }
func (s ownStatus) SIPStatus() int { return int(s) }
func (s ownStatus) Unwrap() error  { return media.Rejected }

func TestHandlerThatForgetsTheCall(t *testing.T) {
	bubble(t, func(context.Context, *sip.Call, *rig) {}, func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite(offer())
		d.AckFailure(p.Expect("500 INVITE"))
	})
}
