package sip_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
	"github.com/callgw/callgw/sip/sdp"
	"github.com/callgw/callgw/sip/siptest"
)

// converses lets one phone speak and press a key, and wants both at the other: nothing
// in the clear where that is encrypted.
func converses(t *testing.T, from, to *handset) {
	t.Helper()
	time.Sleep(time.Second)
	from.hear()
	to.hear()
	said := from.say(50)
	time.Sleep(200 * time.Millisecond)
	audio, keys := to.hear()
	if !bytes.Contains(audio, said) {
		t.Errorf("%d bytes were said and %d heard, not the same", len(said), len(audio))
	}
	if keys != "" {
		t.Errorf("keys %s that nobody has pressed", keys)
	}
	if clear := bytes.Contains(bytes.Join(to.raw, nil), said[:160]); clear != (to.in == nil) {
		t.Errorf("in the clear: %v", clear)
	}
	for event, packets := range map[byte]int{5: 5, 11: 45} {
		from.press(event, packets)
		from.say(5)
		time.Sleep(time.Second)
		held := time.Duration(packets) * 20 * time.Millisecond
		if _, keys := to.hear(); keys != fmt.Sprint(event) || to.held != held {
			t.Errorf("key %d, pressed for %v, became %q for %v", event, held, keys, to.held)
		}
	}
}

// A call that is passed on to a second one is heard both ways, keys too, whichever of
// the two is encrypted: each with its own keys.
func TestRelayOfEncryptedCalls(t *testing.T) {
	for _, c := range []struct {
		name           string
		policy         sdp.SRTP
		caller, target byte // first byte of the key; 0: in the clear
	}{
		{"neither", sdp.SRTPOff, 0, 0},
		{"the caller", sdp.SRTPOptional, 1, 0},
		{"the target", sdp.SRTPOptional, 0, 101},
		{"both", sdp.SRTPOptional, 1, 101},
		{"both must", sdp.SRTPRequired, 1, 101},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, into(&record{}), func(r *rig) {
				p, q := r.peer(), r.peer()
				phone, target := r.handset("10.0.1.1:40000", c.caller), r.handset("10.0.1.2:50000", c.target)
				defer phone.sock.Close()
				defer target.sock.Close()
				describe := func(version string) string {
					description := siptest.SDPWith("10.0.1.1", 40000, "0 101", "rtpmap:101 telephone-event/8000")
					if phone.key != nil {
						description = strings.Replace(description, "RTP/AVP", "RTP/SAVP", 1) + "a=" + phone.line("1") + "\n"
					}
					return strings.Replace(description, "o=peer 1 1", "o=peer 1 "+version, 1)
				}
				d := p.Call()
				ok := d.Establish(describe("1"))
				if phone.key != nil {
					phone.agree(string(ok.Body()))
				}
				call := <-r.calls
				time.Sleep(time.Second)

				done := transfer(call, "+14155550100")
				invite := q.Expect("INVITE")
				answer := siptest.SDPWith("10.0.1.2", 50000, "0 101", "rtpmap:101 telephone-event/8000")
				if target.key != nil {
					answer += "a=" + target.line(target.agree(string(invite.Body()))) + "\n"
					if c.policy == sdp.SRTPRequired {
						answer = strings.Replace(answer, "RTP/AVP", "RTP/SAVP", 1)
					}
				}
				q.Reply(invite, 200, "OK", answer)
				q.Expect("ACK")
				if err := <-done; err != nil {
					t.Fatalf("Transfer() = %v", err)
				}
				r.wantCause(media.Transferred)
				converses(t, phone, target)
				converses(t, target, phone)

				// The caller's phone makes itself another key in the middle of it.
				if phone.key != nil {
					phone.key[0]++
				}
				d.Invite(describe("2"))
				ok = p.Expect("200 INVITE")
				d.Ack()
				phone.hear() // by the key that was
				if phone.key != nil {
					phone.agree(string(ok.Body()))
				}
				converses(t, target, phone)
				converses(t, phone, target)
				d.Request("BYE")
				p.Expect("200 BYE")
				q.Reply(q.Expect("BYE"), 200, "OK")
			}, bridging(sip.TransferBridge), func(cfg *sip.Config) { cfg.Trunks[0].SRTP = c.policy })
		})
	}
}
