package rtp_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	pionrtcp "github.com/pion/rtcp"
	"github.com/pion/srtp/v3"

	"github.com/callgw/callgw/sip/rtp"
	"github.com/callgw/callgw/sip/sdp"
)

// suites are those of package sdp, by pion's numbers.
var suites = []struct {
	name    string
	profile srtp.ProtectionProfile
	bytes   int // key and salt
}{
	{"AES_CM_128_HMAC_SHA1_80", srtp.ProtectionProfileAes128CmHmacSha1_80, 30},
	{"AES_CM_128_HMAC_SHA1_32", srtp.ProtectionProfileAes128CmHmacSha1_32, 30},
	{"AES_256_CM_HMAC_SHA1_80", srtp.ProtectionProfileAes256CmHmacSha1_80, 46},
	{"AES_256_CM_HMAC_SHA1_32", srtp.ProtectionProfileAes256CmHmacSha1_32, 46},
	{"AEAD_AES_128_GCM", srtp.ProtectionProfileAeadAes128Gcm, 28},
	{"AEAD_AES_256_GCM", srtp.ProtectionProfileAeadAes256Gcm, 44},
}

// secured returns a stream that an offer and our answer settled, with the keys that
// stood in them. The peer's bytes count up from first.
func secured(t *testing.T, suite string, bytes int, first byte) (s sdp.Stream, ours, theirs []byte) {
	t.Helper()
	theirs = make([]byte, bytes)
	for i := range theirs {
		theirs[i] = first + byte(i)
	}
	offer, err := sdp.Parse(fmt.Appendf(nil, "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n"+
		"m=audio 4000 RTP/SAVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=crypto:1 %s inline:%s\r\n",
		suite, base64.StdEncoding.EncodeToString(theirs)))
	if err != nil {
		t.Fatal(err)
	}
	answer, s, err := sdp.Answer(offer, sdp.Local{SRTP: sdp.SRTPRequired, Secret: sdp.NewSecret()})
	if err != nil {
		t.Fatal(err)
	}
	_, key, _ := strings.Cut(string(answer), "inline:")
	ours, err = base64.StdEncoding.DecodeString(strings.TrimSpace(key))
	if err != nil || len(ours) != bytes {
		t.Fatalf("a key of %d bytes: %v", len(ours), err)
	}
	return s, ours, theirs
}

// protection returns pion's context for one way.
func protection(t *testing.T, profile srtp.ProtectionProfile, key []byte) *srtp.Context {
	t.Helper()
	n, err := profile.KeyLen()
	if err != nil {
		t.Fatal(err)
	}
	c, err := srtp.CreateContext(key[:n], key[n:], profile, srtp.SRTPReplayProtection(64), srtp.SRTCPReplayProtection(64))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// far is the peer's end of a secured call, as pion does it.
type far struct {
	*peer
	t       *testing.T
	out, in *srtp.Context
	stream  sdp.Stream
}

// inSecureCall runs test in a bubble with a started call that is encrypted.
func inSecureCall(t *testing.T, suite int, change func(*rtp.Config), test func(t *testing.T, c *call, f *far)) {
	t.Helper()
	u := suites[suite]
	s, ours, theirs := secured(t, u.name, u.bytes, 1)
	inCall(t, func(cfg *rtp.Config) {
		cfg.Stream = s
		if change != nil {
			change(cfg)
		}
	}, func(t *testing.T, c *call, p *peer) {
		f := &far{peer: p, t: t, stream: s}
		f.rekey(u.profile, ours, theirs)
		test(t, c, f)
	})
}

func (f *far) rekey(profile srtp.ProtectionProfile, ours, theirs []byte) {
	f.out, f.in = protection(f.t, profile, theirs), protection(f.t, profile, ours)
}

// seal protects a packet.
func (f *far) seal(d datagram) datagram {
	b, err := f.out.EncryptRTP(nil, d.b, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return datagram{addr: d.addr, b: b}
}

// speak is the peer's, protected.
func (f *far) speak(n int) []byte {
	var all []byte
	for range n {
		b := voice(f.sequence)
		all = append(all, b...)
		f.deliver(f.seal(f.make(b)))
		time.Sleep(ms(20))
	}
	return all
}

// open returns the payload of a packet that the call has sent.
func (f *far) open(d datagram) []byte {
	b, err := f.in.DecryptRTP(nil, d.b, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return b[12:]
}

func TestSuitesAgreeWithPion(t *testing.T) {
	for i, u := range suites {
		t.Run(u.name, func(t *testing.T) {
			inSecureCall(t, i, nil, func(t *testing.T, c *call, f *far) {
				c.say(slices.Concat(voice(1), voice(2), voice(3)))
				want := f.speak(100) // across the wrap of the sequence
				sameAudio(t, c.heard(), want)
				var said []byte
				for _, d := range c.wire.packets() {
					if bytes.Contains(d.b, voice(1)[:20]) {
						t.Fatal("speech in the clear")
					}
					said = append(said, f.open(d)...)
				}
				sameAudio(t, said[:480], slices.Concat(voice(1), voice(2), voice(3)))
				if s := c.Stats(); s.Received != 100 || s.Rejected != [rtp.Reasons]uint64{} || s.SendErrors != 0 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestWhatIsNotAuthenticIsNotHeard(t *testing.T) {
	for i, u := range suites {
		t.Run(u.name, func(t *testing.T) {
			inSecureCall(t, i, nil, func(t *testing.T, c *call, f *far) {
				forger := *f.peer
				forger.from, forger.sequence = stranger, 1
				other := *f
				_, ours, theirs := secured(t, u.name, u.bytes, 100)
				other.rekey(u.profile, ours, theirs)
				for range 5 {
					forger.deliver(forger.make(voice(1)))             // in the clear
					forger.deliver(other.seal(forger.make(voice(1)))) // of another key
				}
				forger.deliver(datagram{addr: stranger, b: forger.make(nil).b}) // too short
				synctest.Wait()
				if s := c.Stats(); s.Source.IsValid() || s.Rejected[rtp.Auth] != 11 {
					t.Fatalf("locked to %v, %+v", s.Source, s.Rejected)
				}
				want := f.speak(10)
				heard := c.heard()
				sameAudio(t, heard[len(heard)-len(want):], want)

				// And from the peer's own address.
				forger.from, forger.sequence = signalled, f.sequence
				tampered := f.seal(f.make(voice(2)))
				tampered.b[50] ^= 1
				f.deliver(tampered)
				forger.deliver(forger.make(voice(3)))
				synctest.Wait()
				if s := c.Stats(); s.Source != signalled || s.Rejected[rtp.Auth] != 13 || s.Received != 10 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestReplayedPacketsAreNotHeard(t *testing.T) {
	inSecureCall(t, 0, nil, func(t *testing.T, c *call, f *far) {
		var all []datagram
		var want []byte
		for range 300 {
			b := voice(f.sequence)
			d := f.seal(f.make(b))
			all, want = append(all, d), append(want, b...)
			f.deliver(d)
			time.Sleep(ms(20))
		}
		for _, d := range []datagram{all[0], all[100], all[299], all[290]} {
			f.deliver(d)
		}
		synctest.Wait()
		sameAudio(t, c.heard(), want)
		if s := c.Stats(); s.Rejected[rtp.Replay] != 4 || s.Received != 300 {
			t.Errorf("%+v", s)
		}
	})
}

func TestLossAndReorderingDoNotHarmTheCipher(t *testing.T) {
	inSecureCall(t, 4, nil, func(t *testing.T, c *call, f *far) {
		var want []byte
		var kept datagram
		for i := range 400 {
			b := voice(f.sequence)
			d := f.seal(f.make(b))
			switch {
			case i%10 == 7:
				b = silence(160)
			case i%10 == 3:
				kept = d // comes after its successor
			default:
				f.deliver(d)
				if kept.b != nil {
					f.deliver(kept)
					kept = datagram{}
				}
			}
			want = append(want, b...)
			time.Sleep(ms(20))
		}
		f.speak(1)
		sameAudio(t, c.heard()[:len(want)], want)
		if s := c.Stats(); s.Lost != 40 || s.Reordered != 40 || s.Rejected != [rtp.Reasons]uint64{} {
			t.Errorf("%+v", s)
		}
	})
}

func TestRollOverCounters(t *testing.T) {
	inSecureCall(t, 0, nil, func(t *testing.T, c *call, f *far) {
		// 23 minutes of either side's packets, one in eight delivered.
		for range 70000 {
			d := f.seal(f.make(voice(f.sequence)))
			if f.sequence%8 == 0 {
				f.deliver(d)
			}
			time.Sleep(ms(20))
		}
		synctest.Wait()
		sent := c.wire.packets()
		for _, d := range sent {
			f.open(d)
		}
		if s := c.Stats(); s.Rejected != [rtp.Reasons]uint64{} || s.Received < 8749 || len(sent) < 69999 {
			t.Errorf("%d sent, %+v", len(sent), s)
		}
	})
}

func TestStreamThatWrappedUnheardIsUnderstood(t *testing.T) {
	inSecureCall(t, 0, nil, func(t *testing.T, c *call, f *far) {
		for range 20 { // early media: nobody listened yet
			f.seal(f.make(voice(f.sequence)))
		}
		if f.sequence > 1000 {
			t.Fatalf("sequence %d", f.sequence)
		}
		f.speak(5)
		if s := c.Stats(); s.Received != 5 {
			t.Errorf("%+v", s)
		}
	})
}

func TestSequenceBeginsFarFromItsWrap(t *testing.T) {
	for range 50 {
		inCall(t, nil, func(t *testing.T, c *call, _ *peer) {
			time.Sleep(ms(20))
			if n := c.wire.packets()[0].sequence(); n >= 1<<15 {
				t.Fatalf("begins with %d (RFC 3711 §3.3.1)", n)
			}
		})
	}
}

func TestRestartedStreamKeepsTheKey(t *testing.T) {
	inSecureCall(t, 0, nil, func(t *testing.T, c *call, f *far) {
		f.speak(10)
		f.ssrc, f.sequence, f.timestamp = 0xBEEF, 100, 1<<20 // its roll-over counter begins at 0
		spoken := f.speak(50)
		got := c.heard()
		sameAudio(t, got[len(got)-48*160:], spoken[2*160:])
		if s := c.Stats(); s.SSRC != 0xBEEF || s.Rejected[rtp.Auth] != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRekeying(t *testing.T) {
	u := suites[5] // AEAD destroys what it cannot open
	inSecureCall(t, 5, nil, func(t *testing.T, c *call, f *far) {
		want := f.speak(10)
		before := *f
		s, ours, theirs := secured(t, u.name, u.bytes, 100)
		c.Update(s)
		synctest.Wait()
		c.wire.packets()
		want = append(want, f.speak(5)...) // still the old key
		f.rekey(u.profile, ours, theirs)
		want = append(want, f.speak(200)...)
		sameAudio(t, c.heard(), want)
		for _, d := range c.wire.packets() {
			f.open(d)
		}
		before.sequence, before.timestamp = f.sequence, f.timestamp
		before.peer = f.peer
		f.deliver(before.seal(f.make(voice(1)))) // nobody has that key any more
		synctest.Wait()
		if s := c.Stats(); s.Rejected[rtp.Auth] != 1 || s.Received != 215 {
			t.Errorf("%+v", s)
		}
	})
}

func TestNewKeysRollOverCounter(t *testing.T) {
	u := suites[0]
	for _, test := range []struct {
		name string
		roc  uint32 // of the first packet under the new key
	}{
		{"begins at 0", 0}, // RFC 4568 §7.1.4
		{"goes on", 2},     // RFC 3711 §3.3.1
		{"goes on, and wrapped meanwhile", 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			inSecureCall(t, 0, nil, func(t *testing.T, c *call, f *far) {
				for range 70000 { // more than a cycle, of which a little is heard
					d := f.seal(f.make(voice(f.sequence)))
					if f.sequence%4096 == 0 {
						f.deliver(d)
						time.Sleep(ms(20))
					}
				}
				f.speak(5)
				before := c.wire.packets()
				s, ours, theirs := secured(t, u.name, u.bytes, 100)
				c.Update(s)
				synctest.Wait()
				f.rekey(u.profile, ours, theirs)
				f.out.SetROC(f.ssrc, test.roc)
				want := f.speak(20)
				if got := c.heard(); !bytes.HasSuffix(got, want) {
					t.Error("not heard under the new key")
				}
				// This side's stream is another one, which begins at 0 for everybody.
				for i, d := range c.wire.packets() {
					f.open(d)
					if i == 0 && (bytes.Equal(d.b[8:12], before[0].b[8:12]) || d.sequence() >= 1<<15 || !d.marker()) {
						t.Errorf("SSRC %x, sequence %d, marker %v", d.b[8:12], d.sequence(), d.marker())
					}
				}
			})
		})
	}
}

func TestHoldKeepsTheRollOverCounter(t *testing.T) {
	inSecureCall(t, 0, nil, func(t *testing.T, c *call, f *far) {
		s := f.stream
		f.speak(20)
		hold := s
		hold.Direction = sdp.Inactive
		c.Update(hold)
		time.Sleep(time.Second)
		f.timestamp += 8000
		c.Update(s)
		want := f.speak(20)
		got := c.heard()
		sameAudio(t, got[len(got)-len(want):], want)
		for _, d := range c.wire.packets() {
			f.open(d)
		}
		if s := c.Stats(); s.Rejected != [rtp.Reasons]uint64{} {
			t.Errorf("%+v", s)
		}
	})
}

func TestTimeInTheClearUsesNoIndexTwice(t *testing.T) {
	inSecureCall(t, 0, nil, func(t *testing.T, c *call, f *far) {
		f.speak(10)
		c.Update(stream())
		synctest.Wait()
		want := f.peer.speak(10) // in the clear
		if !bytes.HasSuffix(c.heard(), want) {
			t.Error("not heard in the clear")
		}
		s := f.stream
		c.Update(s)
		synctest.Wait()
		c.wire.packets()
		want = f.speak(10)
		if !bytes.HasSuffix(c.heard(), want) {
			t.Error("not heard encrypted again")
		}
		for _, d := range c.wire.packets() {
			f.open(d)
		}
	})
}

func TestBrokenKeySendsNothing(t *testing.T) {
	inSecureCall(t, 0, func(cfg *rtp.Config) { cfg.Stream.Security.Send = sdp.Key{} }, func(t *testing.T, c *call, _ *far) {
		time.Sleep(ms(200))
		if n := len(c.wire.packets()); n != 0 {
			t.Errorf("%d packets sent without a key", n)
		}
		if s := c.Stats(); s.SendErrors == 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestSecuredReports(t *testing.T) {
	for _, u := range suites {
		t.Run(u.name, func(t *testing.T) {
			s, ours, theirs := secured(t, u.name, u.bytes, 1)
			inReports(t, true, func(cfg *rtp.Config) { cfg.Stream = s }, func(t *testing.T, c *reporting, p *peer) {
				f := &far{peer: p, t: t}
				f.rekey(u.profile, ours, theirs)
				f.speak(500)
				d := c.control.packets()
				if len(d) == 0 {
					t.Fatal("no reports")
				}
				var sr *pionrtcp.SenderReport
				for _, d := range d {
					b, err := f.in.DecryptRTCP(nil, d.b, nil)
					if err != nil {
						t.Fatal(err)
					}
					sr = parsed(t, b)[0].(*pionrtcp.SenderReport)
				}
				theirs := mustMarshal(t, &pionrtcp.ReceiverReport{SSRC: p.ssrc, Reports: []pionrtcp.ReceptionReport{{SSRC: sr.SSRC, FractionLost: 64}}})
				c.control.in <- datagram{addr: signalledRTCP, b: theirs} // in the clear
				sealed, err := f.out.EncryptRTCP(nil, theirs, nil)
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					c.control.in <- datagram{addr: signalledRTCP, b: sealed}
				}
				time.Sleep(2 * time.Second)
				if s := c.Stats(); s.Rejected[rtp.Auth] != 1 || s.Rejected[rtp.Replay] != 1 || s.RTCP != 1 || s.RemoteLoss != 0.25 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// What is authentic is the peer's, wherever it comes from, once its old source is silent.
func TestAuthenticStreamThatMovesIsFollowed(t *testing.T) {
	inSecureCall(t, 0, nil, func(t *testing.T, c *call, f *far) {
		f.speak(50)
		f.from, f.ssrc, f.sequence = elsewhere, 0xBEEF, 1
		f.speak(101)
		want := f.speak(50)
		if s := c.Stats(); s.Source != elsewhere || s.SSRC != 0xBEEF || s.Rejected[rtp.Source] != 101 {
			t.Errorf("%+v", s)
		}
		if !bytes.HasSuffix(c.heard(), want) {
			t.Error("the peer is not heard")
		}
		forger := *f.peer
		forger.from, forger.sequence = stranger, forger.sequence+2
		time.Sleep(3 * time.Second)
		forger.speak(5) // in the clear
		if s := c.Stats(); s.Source != elsewhere || s.Rejected[rtp.Auth] != 5 {
			t.Errorf("%+v", s)
		}
	})
}
