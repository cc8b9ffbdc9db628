package rtp_test

import (
	"bytes"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/sip/rtp"
	"github.com/callgw/callgw/sip/sdp"
)

// target returns where the session sends now.
func (c *call) target() (addr string) {
	c.wire.packets()
	time.Sleep(ms(20))
	for _, d := range c.wire.packets() {
		addr = d.addr.String()
	}
	return addr
}

func TestSourceIsLearntAndHeld(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		if to := c.target(); to != signalled.String() {
			t.Errorf("sends to %s before the peer did", to)
		}
		p.from = elsewhere // as peers behind NAT do
		want := p.speak(30)
		intruder := *p
		intruder.from = stranger
		intruder.speak(10)
		if to := c.target(); to != elsewhere.String() {
			t.Errorf("sends to %s", to)
		}
		if !bytes.Contains(c.heard(), want) {
			t.Error("the peer was not heard whole")
		}
		if s := c.Stats(); s.Source != elsewhere || s.Rejected[rtp.Source] != 10 || s.Received != 30 {
			t.Errorf("%+v", s)
		}
	})
}

func TestSignalledAddressTakesAnEarlyLock(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		intruder := *p
		intruder.from, intruder.ssrc = stranger, 0xBAD
		intruder.speak(3) // faster than the peer
		p.speak(5)
		intruder.speak(3)
		if s := c.Stats(); s.Source != signalled || s.SSRC != 0xCAFE || s.Rejected[rtp.Source] != 3 {
			t.Errorf("%+v", s)
		}
		if to := c.target(); to != signalled.String() {
			t.Errorf("sends to %s", to)
		}
	})
}

// A stranger who guesses the port has all the time until the peer's first packet.
func TestStrangerBeforeThePeerDoesNotKeepIt(t *testing.T) {
	for name, silent := range map[string]time.Duration{
		"the peer speaks soon":           0,
		"the peer speaks after a minute": time.Minute,
	} {
		t.Run(name, func(t *testing.T) {
			inCall(t, func(cfg *rtp.Config) { cfg.Timeout = -1 }, func(t *testing.T, c *call, p *peer) {
				intruder := *p
				intruder.from, intruder.ssrc = stranger, 0xBAD
				for range 30 { // at once
					intruder.deliver(intruder.make(silence(160)))
				}
				intruder.speak(30)
				time.Sleep(silent)
				for range 5 { // both at a time
					intruder.deliver(intruder.make(silence(160)))
					p.speak(1)
				}
				if s := c.Stats(); s.Source != signalled || s.SSRC != 0xCAFE {
					t.Errorf("the call is that of %v, %x", s.Source, s.SSRC)
				}
				want := p.speak(10)
				intruder.speak(10)
				if got := c.heard(); !bytes.Contains(got, want) {
					t.Error("the peer is not heard")
				}
				if to := c.target(); to != signalled.String() {
					t.Errorf("sends to %s", to)
				}
			})
		})
	}
}

func TestStrangerDuringAMoveDoesNotKeepTheCall(t *testing.T) {
	moved := stream()
	moved.Remote = elsewhere
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.speak(10)
		c.Update(moved)
		synctest.Wait()
		intruder := *p
		intruder.from, intruder.ssrc = stranger, 0xBAD
		intruder.speak(60) // before the peer is there
		p.from = elsewhere
		p.speak(1)
		intruder.speak(3)
		if s := c.Stats(); s.Source != elsewhere || s.SSRC != 0xCAFE {
			t.Errorf("the call is that of %v, %x", s.Source, s.SSRC)
		}
		if to := c.target(); to != elsewhere.String() {
			t.Errorf("sends to %s", to)
		}
	})
}

func TestStrayPacketsOfTheSignalledAddressEndNoCall(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		stray := *p
		stray.ssrc, stray.sequence = 0xBAD, 7
		p.from = elsewhere
		p.speak(300)
		stray.speak(2)
		stray.sequence += 10
		stray.speak(2)
		want := p.speak(10)
		if s := c.Stats(); s.Source != elsewhere || s.Rejected[rtp.Source] != 4 {
			t.Errorf("%+v", s)
		}
		if got := c.heard(); !bytes.Contains(got, want) {
			t.Error("the peer is not heard")
		}
	})
}

func TestForgedStreamIsNotHeard(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		forger := *p // from the very address of the peer
		forger.ssrc, forger.sequence = 0xBAD, 7
		var want []byte
		for range 100 {
			want = append(want, p.speak(1)...)
			for range 5 {
				forger.deliver(forger.make(silence(160)))
			}
		}
		synctest.Wait()
		sameAudio(t, c.heard(), want)
		if s := c.Stats(); s.Rejected[rtp.SSRC] != 500 || s.SSRC != 0xCAFE {
			t.Errorf("%+v", s)
		}
	})
}

func TestRestartedStreamIsFollowed(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.speak(10)
		p.ssrc, p.sequence, p.timestamp = 0xBEEF, 100, 1<<20
		spoken := p.speak(50)
		got := c.heard()
		sameAudio(t, got[len(got)-48*160:], spoken[2*160:])
		if len(got) != 60*160 {
			t.Errorf("%d bytes of 60 packets: the clock is off", len(got))
		}
		s := c.Stats()
		if s.SSRC != 0xBEEF || s.Rejected[rtp.SSRC] != 2 || s.Lost != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestNewAddressInSDPOpensTheLock(t *testing.T) {
	moved := stream()
	moved.Remote = elsewhere
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		want := p.speak(10)
		c.Update(moved)
		synctest.Wait()
		if to := c.target(); to != elsewhere.String() {
			t.Errorf("sends to %s after the update", to)
		}
		want = append(want, p.speak(1)...) // still on its way, and heard
		next := *p
		next.from, next.ssrc = stranger, 0xD00D // NAT: not even the new SDP knows it
		spoken := next.speak(10)
		p.speak(3) // the old source is a stranger now
		got := c.heard()
		sameAudio(t, got[:len(want)], want)
		if tail := got[len(want):]; len(tail) < len(spoken) {
			t.Errorf("%d bytes of the new source, want %d", len(tail), len(spoken))
		}
		s := c.Stats()
		if s.Source != stranger || s.Rejected[rtp.Source] != 3 {
			t.Errorf("%+v", s)
		}
	})
}

func TestSameSourceIsLockedAgainAfterAMove(t *testing.T) {
	moved := stream()
	moved.Remote = elsewhere
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.speak(10)
		c.Update(moved) // but the peer goes on from where it was
		p.speak(60)
		if to := c.target(); to != signalled.String() {
			t.Errorf("sends to %s", to)
		}
		p.from = stranger
		p.speak(3)
		if s := c.Stats(); s.Rejected[rtp.Source] != 3 || s.Source != signalled {
			t.Errorf("%+v", s)
		}
	})
}

func TestHoldWithoutAnAddressKeepsTheLock(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.from = elsewhere
		p.speak(30)
		hold := stream()
		hold.Direction = sdp.RecvOnly
		hold.Remote = netip.AddrPort{}
		c.Update(hold)
		time.Sleep(time.Second)
		c.Update(stream())
		synctest.Wait()
		if to := c.target(); to != elsewhere.String() {
			t.Errorf("sends to %s after the hold", to)
		}
		intruder := *p
		intruder.from = stranger
		intruder.speak(2)
		if s := c.Stats(); s.Rejected[rtp.Source] != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestMalformedPacketsAreCounted(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		want := p.speak(2)
		for _, b := range [][]byte{nil, {0x80}, make([]byte, 12), []byte("OPTIONS sip:a SIP/2.0\r\n\r\n")} {
			p.deliver(datagram{addr: signalled, b: b})
		}
		p.deliver(datagram{addr: signalled, b: []byte{0x80, 201, 0, 1, 0, 0, 0, 1}}) // RTCP's receiver report, an empty one
		want = append(want, p.speak(2)...)
		sameAudio(t, c.heard(), want)
		if s := c.Stats(); s.Rejected[rtp.Malformed] != 4 || s.RTCP != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestUnknownPayloadTeachesNoSource(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		intruder := *p
		intruder.from, intruder.kind = stranger, 111
		intruder.speak(3)
		p.speak(3)
		if s := c.Stats(); s.Source != signalled || s.Rejected[rtp.Payload] != 3 || s.Rejected[rtp.Source] != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A NAT gives the peer another port in mid-call.
func TestStreamThatMovesIsFollowed(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.speak(50)
		p.from = elsewhere
		p.speak(99 + 2) // two seconds since the last packet from there, and two more to be sure
		if s := c.Stats(); s.Source != signalled || s.Rejected[rtp.Source] != 101 {
			t.Errorf("%+v", s)
		}
		want := p.speak(100)
		if got := c.heard(); !bytes.HasSuffix(got, want) || len(got) != 251*160 {
			t.Errorf("the peer is not heard: %d bytes", len(got))
		}
		if to := c.target(); to != elsewhere.String() {
			t.Errorf("sends to %s", to)
		}
		if s := c.Stats(); s.Source != elsewhere || s.SSRC != 0xCAFE {
			t.Errorf("%+v", s)
		}
	})
}

// Who is not the peer gains nothing by its silence.
func TestSilentPeersPlaceIsKept(t *testing.T) {
	for name, change := range map[string]func(*peer){
		"another SSRC":          func(p *peer) { p.ssrc = 0xBAD },
		"an old sequence":       func(p *peer) { p.sequence -= 10 },
		"a sequence far ahead":  func(p *peer) { p.sequence += 4000 },
		"not a stream, a spray": nil,
	} {
		t.Run(name, func(t *testing.T) {
			inCall(t, nil, func(t *testing.T, c *call, p *peer) {
				p.speak(50)
				time.Sleep(5 * time.Second) // muted
				intruder := *p
				intruder.from = stranger
				for range 5 {
					if change != nil {
						change(&intruder)
					} else {
						intruder.sequence += 7
					}
					intruder.speak(1)
				}
				p.timestamp += 51 * 800 // its clock went on
				want := p.speak(10)
				if s := c.Stats(); s.Source != signalled || s.Rejected[rtp.Source] != 5 {
					t.Errorf("%+v", s)
				}
				if !bytes.HasSuffix(c.heard(), want) {
					t.Error("the peer is not heard")
				}
			})
		})
	}
}

// An intruder that knows the SSRC and the sequence is not heard beside the peer.
func TestLiveSourceIsNeverTakenOver(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.from = elsewhere // which SDP does not name
		want := p.speak(50)
		for range 500 {
			intruder := *p
			intruder.from = stranger
			want = append(want, p.speak(1)...)
			intruder.deliver(intruder.make(silence(160)))
		}
		synctest.Wait()
		sameAudio(t, c.heard(), want)
		if s := c.Stats(); s.Source != elsewhere || s.Rejected[rtp.Source] != 500 {
			t.Errorf("%+v", s)
		}
	})
}
