package sip_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// slowly rings, and answers after that long.
func slowly(wait time.Duration, rec *record) func(context.Context, *sip.Call, *rig) {
	return func(ctx context.Context, c *sip.Call, r *rig) {
		var running sync.WaitGroup
		running.Go(func() { r.ended <- c.Run(ctx, rec, rec) })
		_ = c.Ring(ctx)
		time.Sleep(wait)
		_ = c.Answer(ctx)
		running.Wait()
	}
}

// prack acknowledges a reliable provisional response.
func prack(d *siptest.Dialog, res siptest.Message, more ...string) {
	d.Learn(res)
	d.Request("PRACK", append([]string{"RAck: " + one(res, "RSeq") + " " + res.CSeq().Value()}, more...)...)
}

func TestRingingIsReliableWhenThePeerKnowsHow(t *testing.T) {
	for _, test := range []struct {
		name, option, body string
		want               []string // Require, and the type of the body
	}{
		{"it does not", "", offer(), []string{"", ""}},
		{"it does", "Supported: replaces, 100rel", offer(), []string{"100rel", ""}},
		{"it insists", "Require: 100rel", offer(), []string{"100rel", ""}},
		{"it insists, and makes no offer", "Require: 100rel", "", []string{"100rel", "application/sdp"}},
		{"it makes no offer", "Supported: 100rel", "", []string{"", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, slowly(3*time.Second, &record{}), func(r *rig) {
				p := r.peer()
				d := p.Call()
				d.Invite(test.option, test.body)
				ringing := p.Expect("180 INVITE")
				if diff := cmp.Diff(test.want, []string{one(ringing, "Require"), one(ringing, "Content-Type")}); diff != "" {
					t.Error(diff)
				}
				answer := ""
				if test.want[1] != "" {
					answer = offer()
				}
				if test.want[0] != "" {
					prack(d, ringing, answer)
					p.Expect("200 PRACK")
				}
				ok := p.Expect("200 INVITE")
				if sent, again := test.want[1] != "", len(ok.Body()) > 0; sent == again {
					t.Errorf("the answer's body is\n%s", ok.Body())
				}
				d.Learn(ok)
				answer = ""
				if test.body == "" && test.want[1] == "" {
					answer = offer()
				}
				p.Send(d.Text("ACK", 1, "z9hG4bK-ack", answer))
				d.Request("BYE")
				p.Expect("200 BYE")
				r.wantCause(media.CallerHungUp)
			})
		})
	}
}

func TestReliableRingingIsRepeatedUntilPRACK(t *testing.T) {
	bubble(t, slowly(20*time.Second, &record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite("Supported: 100rel", offer())
		first := p.Expect("180 INVITE")
		var at []time.Duration
		for range 3 {
			again := p.Expect("180 INVITE")
			if one(again, "RSeq") != one(first, "RSeq") {
				t.Error("repeated with another RSeq")
			}
			at = append(at, again.At.Sub(first.At))
		}
		ms := time.Millisecond
		if diff := cmp.Diff([]time.Duration{500 * ms, 1500 * ms, 3500 * ms}, at); diff != "" {
			t.Error(diff)
		}
		d.Learn(first)
		for _, wrong := range []string{"RAck: 1 1 INVITE", "RAck: " + one(first, "RSeq") + " 7 INVITE", "RAck: " + one(first, "RSeq") + " 1 BYE", "RAck: x", ""} {
			d.Request("PRACK", wrong)
			p.Expect("481 PRACK")
		}
		d.Request("PRACK", "RAck: "+one(first, "RSeq")+" 1 INVITE")
		p.Expect("200 PRACK")
		d.Request("PRACK", "RAck: "+one(first, "RSeq")+" 1 INVITE")
		p.Expect("481 PRACK")
		ok := p.ExpectWithin(20*time.Second, "200 INVITE")
		if wait := ok.At.Sub(first.At); wait != 20*time.Second {
			t.Errorf("answered after %v", wait)
		}
		p.Send(d.Text("ACK", 1, "z9hG4bK-ack"))
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

func TestReliableRingingThatIsNeverAcknowledged(t *testing.T) {
	bubble(t, slowly(time.Minute, &record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite("Require: 100rel", offer())
		first := p.Expect("180 INVITE")
		res := p.Skip("500 INVITE")
		if after := res.At.Sub(first.At); after != 32*time.Second {
			t.Errorf("refused after %v", after)
		}
		d.AckFailure(res)
		r.wantCause(media.LegFailed)
		time.Sleep(time.Minute)
	})
}

// A 2xx must not overtake the description in a provisional response.
func TestAnswerWaitsForPRACK(t *testing.T) {
	bubble(t, slowly(0, &record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite("Require: 100rel")
		res := p.Expect("180 INVITE")
		p.ExpectNothing(400 * time.Millisecond)
		prack(d, res, siptest.SDPWith("10.0.1.1", 40000, "8"))
		p.Expect("200 PRACK")
		ok := p.ExpectWithin(time.Millisecond, "200 INVITE")
		if len(ok.Body()) > 0 {
			t.Errorf("the answer repeats the offer:\n%s", ok.Body())
		}
		p.Send(d.Text("ACK", 1, "z9hG4bK-ack"))
		time.Sleep(time.Second)
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	})
}

func TestPRACKWithoutTheAnswer(t *testing.T) {
	bubble(t, slowly(10*time.Second, &record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite("Require: 100rel")
		prack(d, p.Expect("180 INVITE"))
		p.Expect("488 PRACK")
		d.CSeq--
		d.AckFailure(p.Expect("488 INVITE"))
		r.wantCause(media.NotAcceptable)
		time.Sleep(time.Minute)
	})
}

func TestUpdateBeforeTheAnswer(t *testing.T) {
	rec := &record{}
	bubble(t, slowly(10*time.Second, rec), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite("Supported: 100rel", offer())
		res := p.Expect("183 INVITE")
		d.Learn(res)
		d.Request("UPDATE", siptest.SDP("10.0.1.1", 40002)) // before PRACK
		p.Expect("500 UPDATE")
		d.Request("PRACK", "RAck: "+one(res, "RSeq")+" 1 INVITE")
		p.Expect("200 PRACK")
		d.Request("UPDATE", siptest.SDP("10.0.1.1", 40002))
		ok := p.Expect("200 UPDATE")
		if !strings.Contains(string(ok.Body()), "m=audio 40002 RTP/AVP 0 101") || one(ok, "Session-Expires") != "" {
			t.Errorf("UPDATE is answered with\n%s", ok.Raw)
		}
		d.Request("UPDATE")
		p.Expect("200 UPDATE")
		p.Expect("200 INVITE")
		p.Send(d.Text("ACK", 1, "z9hG4bK-ack"))
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	}, func(cfg *sip.Config) { cfg.EarlyMedia = true })
}

// PRACK makes another offer once the first is answered (RFC 3262 §5).
func TestPRACKWithAnotherOffer(t *testing.T) {
	bubble(t, slowly(10*time.Second, &record{}), func(r *rig) {
		p := r.peer()
		d := p.Call()
		d.Invite("Require: 100rel", offer())
		prack(d, p.Expect("183 INVITE"), siptest.SDP("10.0.1.1", 40002))
		ok := p.Expect("200 PRACK")
		if !strings.Contains(string(ok.Body()), "m=audio") {
			t.Errorf("PRACK is answered with\n%s", ok.Raw)
		}
		p.Expect("200 INVITE")
		p.Send(d.Text("ACK", 1, "z9hG4bK-ack"))
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	}, func(cfg *sip.Config) { cfg.EarlyMedia = true })
}

// The caller hears ringing of ours before the answer, and the agent after it.
func TestEarlyMedia(t *testing.T) {
	bubble(t, slowly(40*time.Second, &record{}), func(r *rig) {
		p := r.peer()
		phone := r.net.Listen("10.0.1.1:40000")
		defer phone.Close()
		d := p.Call()
		d.Invite(offer())
		res := p.Expect("183 INVITE")
		if !strings.Contains(string(res.Body()), "m=audio") || one(res, "Require") != "" {
			t.Errorf("the ringing is\n%s", res.Raw)
		}
		time.Sleep(20 * time.Second)
		loud, silent := 0, 0
		packet := make([]byte, 2000)
		_ = phone.SetReadDeadline(time.Now().Add(time.Millisecond))
		for {
			n, _, err := phone.ReadFrom(packet)
			if err != nil {
				break
			}
			if len(bytes.TrimLeft(packet[12:n], "\xff")) == 0 {
				silent++
			} else {
				loud++
			}
		}
		if loud < 300 || silent < 600 { // 20 s hold 4 rings of 2 s, the last one whole
			t.Errorf("%d packets ring and %d are silent", loud, silent)
		}
		ok := p.ExpectWithin(time.Minute, "200 INVITE")
		if diff := cmp.Diff(string(res.Body()), string(ok.Body())); diff != "" {
			t.Errorf("the description has changed: %s", diff)
		}
		d.Learn(ok)
		d.Ack()
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	}, func(cfg *sip.Config) {
		cfg.EarlyMedia = true
		cfg.MediaTimeout = 30 * time.Second // which begins with the answer
	})
}

func FuzzRAck(f *testing.F) {
	for _, seed := range []string{"1 2 INVITE", "4294967295 1 INVITE", "x", "1  2\tINVITE", "-1 2 INVITE"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if rseq, cseq, method, ok := sip.ParseRAck(text); ok && (method == "" || strings.ContainsAny(method, " \t")) {
			t.Errorf("%q is %d %d %q", text, rseq, cseq, method)
		}
	})
}
