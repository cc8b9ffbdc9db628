package sip_test

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/siptest"
)

// transfer transfers in the background.
func transfer(c *sip.Call, target string) <-chan error {
	done := make(chan error, 1)
	go func() { done <- c.Transfer(context.Background(), target) }()
	return done
}

// progress is a NOTIFY about a REFER.
func progress(d *siptest.Dialog, state, fragment string) {
	d.Request("NOTIFY", "Event: refer", "Subscription-State: "+state, "Content-Type: message/sipfrag;version=2.0", "\n"+fragment+"\n")
}

// talk establishes a call with the peer.
func (r *rig) talk(more ...string) (*siptest.Peer, *siptest.Dialog, *sip.Call) {
	p := r.peer()
	d := p.Call()
	d.Establish(append(more, offer())...)
	c := <-r.calls
	time.Sleep(time.Second)
	return p, d, c
}

func TestTransfer(t *testing.T) {
	for _, status := range []int{202, 200} {
		bubble(t, into(&record{}), func(r *rig) {
			p, d, c := r.talk()
			done := transfer(c, "+14155550100")
			refer := p.Expect("REFER")
			got := []string{one(refer, "Refer-To"), one(refer, "Referred-By")}
			if diff := cmp.Diff([]string{"<sip:+14155550100@peer.example>", "<sip:+14155550123@10.0.0.1:5060>"}, got); diff != "" {
				t.Error(diff)
			}
			p.Reply(refer, status, "Accepted")
			progress(d, "active;expires=60", "SIP/2.0 100 Trying")
			p.Expect("200 NOTIFY")
			progress(d, "active", "SIP/2.0 180 Ringing\r\nX: y")
			p.Expect("200 NOTIFY")
			if err := c.Transfer(context.Background(), "sip:x@y"); err == nil {
				t.Error("a second transfer was begun")
			}
			time.Sleep(20 * time.Second)
			progress(d, "terminated;reason=noresource", "SIP/2.0 200 OK")
			p.Expect("200 NOTIFY")
			if err := <-done; err != nil {
				t.Errorf("Transfer() = %v", err)
			}
			p.Reply(p.Expect("BYE"), 200, "OK")
			r.wantCause(media.Transferred)
		})
	}
}

func TestTransferTarget(t *testing.T) {
	for target, want := range map[string]string{
		"tel:+14155550100": "<sip:+14155550100@peer.example>", "sip:bob@example.com;user=phone": "<sip:bob@example.com;user=phone>",
		"sips:bob@example.com": "<sips:bob@example.com>", "100": "<sip:100@peer.example>",
		"bob": "", "": "", "sip:a>b@c": "", "http://x": "", "sip:": "", "+1415\r\nX: y": "",
	} {
		bubble(t, into(&record{}), func(r *rig) {
			p, d, c := r.talk()
			done := transfer(c, target)
			if want != "" {
				refer := p.Expect("REFER")
				if got := one(refer, "Refer-To"); got != want {
					t.Errorf("%q is %s, want %s", target, got, want)
				}
				p.Reply(refer, 603, "Decline")
			}
			if err := <-done; err == nil {
				t.Errorf("%q was accepted", target)
			}
			d.Request("BYE")
			p.Expect("200 BYE")
			r.wantCause(media.CallerHungUp)
		})
	}
}

func TestTransferThatFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		script func(p *siptest.Peer, d *siptest.Dialog, refer siptest.Message)
		status int
		words  string
	}{
		{"refused", func(p *siptest.Peer, _ *siptest.Dialog, refer siptest.Message) {
			p.Reply(refer, 405, "Method Not Allowed")
		}, 405, "sip: transfer: the far end refuses to transfer calls: sip: 405 Method Not Allowed"},
		{"busy", func(p *siptest.Peer, d *siptest.Dialog, refer siptest.Message) {
			p.Reply(refer, 202, "Accepted")
			progress(d, "terminated;reason=noresource", "SIP/2.0 486 Busy Here")
			p.Expect("200 NOTIFY")
		}, 486, "sip: transfer: the target is busy: sip: 486 Busy Here"},
		{"declined", func(p *siptest.Peer, d *siptest.Dialog, refer siptest.Message) {
			p.Reply(refer, 202, "Accepted")
			progress(d, "active", "SIP/2.0 603 Decline")
			p.Expect("200 NOTIFY")
			progress(d, "terminated", "SIP/2.0 603 Decline")
			p.Next(time.Second)
		}, 603, "sip: transfer: the target declined the call: sip: 603 Decline"},
		{"the NOTIFY overtakes the answer", func(p *siptest.Peer, d *siptest.Dialog, refer siptest.Message) {
			progress(d, "terminated", "SIP/2.0 404 Not Found")
			p.Expect("200 NOTIFY")
			p.Reply(refer, 202, "Accepted")
		}, 404, "sip: transfer: there is no such target: sip: 404 Not Found"},
		{"nothing is told", func(p *siptest.Peer, d *siptest.Dialog, refer siptest.Message) {
			p.Reply(refer, 202, "Accepted")
			progress(d, "terminated;reason=noresource", "SIP/2.0 100 Trying")
			p.Expect("200 NOTIFY")
			progress(d, "active", "what is this")
			p.Expect("200 NOTIFY")
			d.Request("NOTIFY", "Event: refer;id=1", "Subscription-State: active")
			p.Expect("200 NOTIFY")
		}, 0, "sip: transfer: the far end has not told how it went: the target has not answered in time"},
		{"no answer to REFER", func(p *siptest.Peer, _ *siptest.Dialog, _ siptest.Message) {
			for range 10 {
				p.Expect("REFER")
			}
		}, 0, "sip: transfer: the far end does not answer: sip: no answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, into(&record{}), func(r *rig) {
				p, d, c := r.talk()
				start := time.Now()
				done := transfer(c, "+14155550100")
				test.script(p, d, p.Expect("REFER"))
				err := <-done
				if err == nil || err.Error() != test.words {
					t.Errorf("Transfer() = %v, want %s", err, test.words)
				}
				var res *sip.StatusError
				if errors.As(err, &res) != (test.status != 0) || res != nil && res.Status != test.status {
					t.Errorf("%v: want status %d", err, test.status)
				}
				if took := time.Since(start); took > time.Minute {
					t.Errorf("it took %v", took)
				}
				// The call goes on, and what else comes of the subscription is not wanted.
				progress(d, "active", "SIP/2.0 200 OK")
				p.Expect("481 NOTIFY")
				d.Request("NOTIFY", "Event: presence")
				p.Expect("489 NOTIFY")
				d.Request("BYE")
				p.Expect("200 BYE")
				r.wantCause(media.CallerHungUp)
			})
		})
	}
}

func TestByeDuringATransfer(t *testing.T) {
	for _, test := range []struct {
		name, progress string
		cause          media.Cause
	}{
		{"the peer has left to call the target", "", media.Transferred},
		{"the caller gave up while the target rang", "SIP/2.0 180 Ringing", media.CallerHungUp},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, into(&record{}), func(r *rig) {
				p, d, c := r.talk()
				done := transfer(c, "+14155550100")
				p.Reply(p.Expect("REFER"), 202, "Accepted")
				time.Sleep(time.Second)
				if test.progress != "" {
					progress(d, "active", test.progress)
					p.Expect("200 NOTIFY")
				}
				d.Request("BYE")
				p.Expect("200 BYE")
				if err := <-done; (err == nil) != (test.cause == media.Transferred) {
					t.Errorf("Transfer() = %v", err)
				}
				r.wantCause(test.cause)
			})
		})
	}
}

func TestInboundReferIsRefused(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p, d, _ := r.talk()
		d.Request("REFER", "Refer-To: <sip:x@y>")
		p.Expect("603 REFER")
		out := p.Call()
		out.Request("REFER", "Refer-To: <sip:x@y>")
		p.Expect("603 REFER")
		d.Request("BYE")
		p.Expect("200 BYE")
		r.wantCause(media.CallerHungUp)
	}, func(cfg *sip.Config) { cfg.ReferStatus = 603 })
}

// bridging makes the trunk of the peers one whose callers are bridged.
func bridging(mode sip.TransferMode) func(*sip.Config) {
	return func(cfg *sip.Config) {
		cfg.Trunks = []sip.Trunk{{Name: "pbx", From: []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24")}, Server: "sip:10.0.1.2", Transfer: mode}}
	}
}

// A peer that refuses REFER is called a second time, and the audio is passed on.
func TestTransferByASecondCall(t *testing.T) {
	for _, mode := range []sip.TransferMode{sip.TransferBridge, sip.TransferEither, sip.TransferAttended} {
		for first, why := range map[string]media.Cause{
			"the caller": media.CallerHungUp, "the target": media.TargetHungUp,
			"the owner": media.OperatorHungUp, "the server": media.Shutdown,
		} {
			t.Run(first+" hangs up", func(t *testing.T) {
				rec := &record{}
				bubble(t, into(rec), func(r *rig) {
					p, d, c := r.talk()
					q := r.peer()
					phone, target := r.net.Listen("10.0.1.1:40000"), r.net.Listen("10.0.1.2:50000")
					defer phone.Close()
					defer target.Close()
					done := transfer(c, "+14155550100")
					if mode == sip.TransferEither {
						p.Reply(p.Expect("REFER"), 501, "Not Implemented")
					}
					invite := q.Expect("INVITE")
					req := invite.Request()
					if req.Recipient.User != "+14155550100" || req.From().Address.User != "+14155550199" {
						t.Errorf("INVITE:\n%s", invite.Raw)
					}
					if !strings.Contains(string(req.Body()), "RTP/AVP 0 8 101\r\n") {
						t.Errorf("offer:\n%s", req.Body())
					}
					q.Reply(invite, 180, "Ringing")
					time.Sleep(5 * time.Second)
					drained(phone)
					q.Reply(invite, 200, "OK", siptest.SDPWith("10.0.1.2", 50000, "0"))
					ack := q.Expect("ACK")
					if mode == sip.TransferAttended {
						p.Reply(p.Expect("REFER"), 405, "Method Not Allowed")
					}
					if err := <-done; err != nil {
						t.Fatalf("Transfer() = %v", err)
					}
					r.wantCause(media.Transferred) // as far as the bridge is concerned
					if err := c.Hangup(context.Background(), media.Transferred); err != nil {
						t.Error(err)
					}
					if second, ok := c.Relayed(); !ok || second != invite.CallID().Value() {
						t.Errorf("Relayed() = %q, %v", second, ok)
					}
					relaying, part := context.WithCancelCause(context.Background())
					defer part(nil)
					parted := make(chan error, 1)
					go func() { parted <- c.Relay(relaying) }()
					p.ExpectNothing(10 * time.Second)
					passes(t, phone, target)
					passes(t, target, phone)
					bye := "BYE " + req.Contact().Address.String() + " SIP/2.0\n" +
						"Via: SIP/2.0/UDP 10.0.1.2:5060;branch=z9hG4bK-bye;rport\nMax-Forwards: 70\n" +
						"From: " + ack.To().Value() + "\nTo: " + ack.From().Value() + "\nCall-ID: " + ack.CallID().Value() +
						"\nCSeq: 1 BYE\nContent-Length: 0\n\n"
					switch first {
					case "the caller":
						d.Request("BYE")
						p.Expect("200 BYE")
						q.Reply(q.Expect("BYE"), 200, "OK")
					case "the target":
						q.Send(bye)
						q.Expect("200 BYE")
						p.Reply(p.Expect("BYE"), 200, "OK")
					default:
						if first == "the owner" {
							part(media.OperatorHungUp)
						} else {
							r.stop()
						}
						q.Reply(q.Expect("BYE"), 200, "OK")
						p.Reply(p.Expect("BYE"), 200, "OK")
					}
					if err := <-parted; media.CauseOf(err) != why {
						t.Errorf("Relay() = %v", err)
					}
					time.Sleep(time.Minute)
					if n := r.server.Calls(); n != 0 {
						t.Errorf("%d calls", n)
					}
				}, bridging(mode))
			})
		}
	}
}

// drained reads what has come, and from where.
func drained(s *siptest.Socket) (all [][]byte, source netip.AddrPort) {
	buf := make([]byte, 2000)
	_ = s.SetReadDeadline(time.Now().Add(time.Millisecond))
	for {
		n, from, err := s.ReadFromUDPAddrPort(buf)
		if err != nil {
			return all, source
		}
		source = from
		all = append(all, append([]byte(nil), buf[:n]...))
	}
}

// passes sends a second of audio from one phone and wants it, byte by byte, at the
// other.
func passes(t *testing.T, from, to *siptest.Socket) {
	t.Helper()
	drained(from)
	time.Sleep(time.Second)
	theirs, gatewayRTP := drained(from)
	if len(theirs) == 0 {
		t.Fatal("nothing comes from the gateway")
	}
	drained(to)
	var sent []byte
	for i := range 50 {
		packet := make([]byte, 12+160)
		packet[0], packet[3], packet[11] = 0x80, byte(i), 7
		packet[6], packet[7] = byte(i*160>>8), byte(i*160)
		for j := range packet[12:] {
			packet[12+j] = byte(i + j)
		}
		sent = append(sent, packet[12:]...)
		_, _ = from.WriteToUDPAddrPort(packet, gatewayRTP)
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	var heard []byte
	packets, _ := drained(to)
	for _, packet := range packets {
		heard = append(heard, packet[12:]...)
	}
	if !bytes.Contains(heard, sent) {
		t.Errorf("%d bytes were said and %d heard, not the same", len(sent), len(heard))
	}
}

func TestTransferToATargetThatDoesNotAnswer(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(q *siptest.Peer, invite siptest.Message)
		words  string
	}{
		{"busy", func(q *siptest.Peer, invite siptest.Message) {
			q.Reply(invite, 486, "Busy Here")
			q.Expect("ACK")
		}, "sip: transfer: the target is busy: sip: 486 Busy Here"},
		{"rings for ever", func(q *siptest.Peer, invite siptest.Message) {
			q.Reply(invite, 180, "Ringing")
			q.Reply(q.ExpectWithin(2*time.Minute, "CANCEL"), 200, "OK")
			q.Reply(invite, 487, "Request Terminated")
			q.Expect("ACK")
		}, "sip: transfer: the target does not answer: sip: dial: the target has not answered in time"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, into(&record{}), func(r *rig) {
				p, d, c := r.talk()
				q := r.peer()
				done := transfer(c, "+14155550100")
				test.answer(q, q.Expect("INVITE"))
				if err := <-done; err == nil || err.Error() != test.words {
					t.Errorf("Transfer() = %v", err)
				}
				time.Sleep(time.Second)
				d.Request("BYE")
				p.Expect("200 BYE")
				r.wantCause(media.CallerHungUp)
			}, bridging(sip.TransferBridge))
		})
	}
}

func TestCallerLeavesWhileTheTargetRings(t *testing.T) {
	bubble(t, into(&record{}), func(r *rig) {
		p, d, c := r.talk()
		q := r.peer()
		done := transfer(c, "+14155550100")
		invite := q.Expect("INVITE")
		q.Reply(invite, 180, "Ringing")
		time.Sleep(time.Second)
		d.Request("BYE")
		p.Expect("200 BYE")
		if err := <-done; err == nil {
			t.Error("the transfer came about")
		}
		r.wantCause(media.CallerHungUp)
		q.Reply(q.Expect("CANCEL"), 200, "OK")
		q.Reply(invite, 487, "Request Terminated")
		q.Expect("ACK")
	}, bridging(sip.TransferBridge))
}

func FuzzFragment(f *testing.F) {
	for _, seed := range []string{"SIP/2.0 200 OK", "SIP/2.0 486 Busy Here\r\nX: y\r\n", "\r\nsip/2.0  603", "SIP/2.0 abc", "HTTP/1.1 200 OK", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		res, ok := sip.ParseFragment(body)
		if ok && (res.Status < 100 || res.Status > 699 || strings.ContainsAny(res.Reason, "\n")) {
			t.Errorf("%q is %+v", body, res)
		}
	})
}
