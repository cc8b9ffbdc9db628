package rtp_test

import (
	"bytes"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/rtp"
	"github.com/callgw/callgw/sip/sdp"
)

// inCall runs test in a bubble with a started call.
func inCall(t *testing.T, change func(*rtp.Config), test func(t *testing.T, c *call, p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := dial(t, change)
		c.Start()
		synctest.Wait()
		test(t, c, c.peer())
	})
}

func sameAudio(t *testing.T, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		t.Errorf("%d bytes, want %d; they differ from byte %d on", len(got), len(want), i)
	}
}

func TestAudioInOrderPassesAtOnce(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		var want []byte
		for range 3000 { // a minute, across the wraps of sequence and timestamp
			b := voice(p.sequence)
			want = append(want, b...)
			p.deliver(p.make(b))
			synctest.Wait()
			if len(c.heard()) != len(want) {
				t.Fatalf("a packet in order was not passed on at once")
			}
			time.Sleep(ms(20))
		}
		sameAudio(t, c.heard(), want)
		s := c.Stats()
		if s.Received != 3000 || s.Lost+s.Reordered+s.Duplicates+s.Late != 0 || s.Filled != 0 || s.Jitter != 0 {
			t.Errorf("%+v", s)
		}
		if s.Source != signalled || s.SSRC != 0xCAFE {
			t.Errorf("source %v, ssrc %x", s.Source, s.SSRC)
		}
	})
}

func TestReorderedPacketsArePutInOrder(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		want := p.speak(5)
		one, two, three := p.make(voice(1)), p.make(voice(2)), p.make(voice(3))
		p.deliver(two)
		time.Sleep(ms(10))
		p.deliver(three)
		synctest.Wait()
		sameAudio(t, c.heard(), want) // both wait
		time.Sleep(ms(10))
		p.deliver(one)
		synctest.Wait()
		want = slices.Concat(want, voice(1), voice(2), voice(3))
		sameAudio(t, c.heard(), want)
		sameAudio(t, c.heard(), append(want, p.speak(5)...)[:len(want)+0])
		if s := c.Stats(); s.Reordered != 1 || s.Lost != 0 || s.Filled != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestLostPacketIsFilledAfter40Milliseconds(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		want := p.speak(5)
		lost := p.make(voice(1))
		p.deliver(p.make(voice(2)))
		time.Sleep(ms(39))
		synctest.Wait()
		sameAudio(t, c.heard(), want)
		time.Sleep(ms(1))
		synctest.Wait()
		want = slices.Concat(want, silence(160), voice(2))
		sameAudio(t, c.heard(), want)
		p.deliver(lost) // too late
		synctest.Wait()
		sameAudio(t, c.heard(), want)
		if s := c.Stats(); s.Lost != 1 || s.Late != 1 || s.Filled != ms(20) {
			t.Errorf("%+v", s)
		}
	})
}

func TestSeveralGapsKeepTheClock(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		want := p.speak(2)
		for i := range 400 {
			b := voice(p.sequence)
			d := p.make(b)
			if i%7 == 3 || i%31 == 4 || i%31 == 5 { // single and double losses
				b = silence(160)
			} else {
				p.deliver(d)
			}
			want = append(want, b...)
			time.Sleep(ms(20))
		}
		want = append(want, p.speak(3)...)
		sameAudio(t, c.heard(), want)
	})
}

func TestDuplicatesAreDropped(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		var want []byte
		for range 50 {
			b := voice(p.sequence)
			want = append(want, b...)
			d := p.make(b)
			p.deliver(d)
			p.deliver(d)
			time.Sleep(ms(20))
		}
		ahead := p.make(voice(1))
		held := p.make(voice(2))
		p.deliver(held)
		p.deliver(held) // a duplicate of one that waits
		p.deliver(ahead)
		synctest.Wait()
		sameAudio(t, c.heard(), slices.Concat(want, voice(1), voice(2)))
		if s := c.Stats(); s.Duplicates != 51 {
			t.Errorf("%+v", s)
		}
	})
}

func TestMoreThanTheWindowDoesNotWait(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		want := p.speak(1)
		p.make(voice(1)) // lost
		want = append(want, silence(160)...)
		for range 9 { // in one burst
			want = append(want, voice(p.sequence)...)
			p.deliver(p.make(voice(p.sequence)))
		}
		synctest.Wait()
		sameAudio(t, c.heard(), want)
	})
}

func TestSilenceSuppressionKeepsTheClock(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		want := p.speak(10)
		// A second without packets; its timestamps pass.
		p.timestamp += 8000
		time.Sleep(time.Second)
		p.marker = true
		want = append(want, silence(8000)...)
		want = append(want, p.speak(10)...)
		sameAudio(t, c.heard(), want)
	})
}

func TestSilenceFlowsWhileNothingComes(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.speak(1) // due until 20 ms, overdue until 80
		time.Sleep(ms(59))
		synctest.Wait()
		if n := len(c.heard()); n != 160 {
			t.Errorf("%d bytes before the packet was 60 ms overdue", n)
		}
		time.Sleep(ms(1))
		synctest.Wait()
		if n := len(c.heard()); n != 320 {
			t.Errorf("%d bytes when it was", n)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := len(c.heard()); n != 320+80000 {
			t.Errorf("%d bytes after 10 s more", n)
		}
	})
}

func TestSilenceFlowsBeforeTheFirstPacket(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(c.heard()); n < 8000-640 || n > 8000 {
			t.Errorf("%d bytes in the first second", n)
		}
		before := c.heard()
		want := p.speak(3)
		sameAudio(t, c.heard(), slices.Concat(before, want))
	})
}

func TestPeerWhoseClockStoodStillLosesNothing(t *testing.T) {
	for _, test := range []struct {
		name   string
		marker bool
		lost   int // packets
	}{
		{"with the marker bit", true, 0},
		{"without, after a moment", false, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			inCall(t, nil, func(t *testing.T, c *call, p *peer) {
				p.speak(10)
				time.Sleep(5 * time.Second) // its timestamps do not move
				p.marker = test.marker
				spoken := p.speak(50)
				got := c.heard()
				sameAudio(t, got[len(got)-160*(50-test.lost):], spoken[160*test.lost:])
				if d := media.Duration(int64(len(got))) - 6200*time.Millisecond; d < -ms(40) || d > ms(40) {
					t.Errorf("the clock is off by %v", d)
				}
			})
		})
	}
}

func TestBurstAfterAStallKeepsTheClock(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		want := p.speak(10)
		var stalled []datagram
		for range 15 { // 300 ms of network trouble, then all at once
			stalled = append(stalled, p.make(voice(p.sequence)))
		}
		time.Sleep(ms(300))
		for _, d := range stalled {
			p.deliver(d)
		}
		synctest.Wait()
		tail := p.speak(10)
		got := c.heard()
		if len(got) != len(want)+15*160+len(tail) {
			t.Errorf("%d bytes, want %d", len(got), len(want)+15*160+len(tail))
		}
		sameAudio(t, got[len(got)-len(tail):], tail)
		if s := c.Stats(); s.Late == 0 || s.Lost != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestTimestampJumpsAreBounded(t *testing.T) {
	for _, test := range []struct {
		name string
		step int64
		fill int
	}{
		{"9 s ahead are a gap", 72000, 72000},
		{"an hour ahead is another clock", 8000 * 3600, 0},
		{"an hour back is another clock", -8000 * 3600, 0},
		{"half the range", 1 << 31, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			inCall(t, nil, func(t *testing.T, c *call, p *peer) {
				want := p.speak(5)
				p.timestamp += uint32(test.step)
				tail := p.speak(5)
				sameAudio(t, c.heard(), slices.Concat(want, silence(test.fill), tail))
			})
		})
	}
}

func TestSequenceRestartIsFollowed(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.speak(5)
		p.sequence += 20000
		p.timestamp += 1 << 30
		p.speak(1) // the first is not believed
		spoken := p.speak(20)
		got := c.heard()
		sameAudio(t, got[len(got)-len(spoken):], spoken)
		if d := media.Duration(int64(len(got))) - 26*ms(20); d < -ms(20) || d > ms(20) {
			t.Errorf("the clock is off by %v", d)
		}
	})
}

func TestStrayPacketFarOutOfOrderHarmsNothing(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		want := p.speak(5)
		stray := *p
		stray.sequence += 30000
		stray.timestamp += 1 << 29
		stray.deliver(stray.make(voice(1)))
		want = append(want, p.speak(5)...)
		sameAudio(t, c.heard(), want)
	})
}

func TestOtherPayloadTypes(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		want := p.speak(5)
		for _, kind := range []uint8{13, 18, 96} { // comfort noise, G.729, whatever
			p.kind = kind
			p.deliver(p.make([]byte{1}))
			p.timestamp += 159 // their time passes
			p.kind = 0
			time.Sleep(ms(20))
			want = slices.Concat(want, silence(160), p.speak(2))
		}
		sameAudio(t, c.heard(), want)
		s := c.Stats()
		if s.Rejected[rtp.Payload] != 2 || s.Received != 5+6+1 || s.Lost != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestPacketTimes(t *testing.T) {
	for _, n := range []int{80, 160, 240, 320, 480, 640} {
		inCall(t, nil, func(t *testing.T, c *call, p *peer) {
			var want []byte
			for i := range 20 {
				b := bytes.Repeat([]byte{byte(i)}, n)
				want = append(want, b...)
				p.deliver(p.make(b))
				time.Sleep(media.Duration(int64(n)))
			}
			sameAudio(t, c.heard(), want)
			if frames := c.frames; len(frames) != 20 {
				t.Errorf("%d frames of a packet time of %d bytes", len(frames), n)
			}
		})
	}
}

func TestAlawIsFilledWithItsOwnSilence(t *testing.T) {
	alaw := func(cfg *rtp.Config) {
		cfg.Stream.Codec = media.PCMA
		cfg.Stream.Send.Audio, cfg.Stream.Receive.Audio = 8, 118
	}
	inCall(t, alaw, func(t *testing.T, c *call, p *peer) {
		p.kind = 118
		want := p.speak(1)
		p.kind = 8 // some peers keep the number of the offer
		want = append(want, p.speak(1)...)
		p.make(voice(1))
		tail := p.speak(4)
		sameAudio(t, c.heard(), slices.Concat(want, bytes.Repeat([]byte{0xD5}, 160), tail))
	})
}

func TestMediaTimeout(t *testing.T) {
	hold := stream()
	hold.Direction = sdp.RecvOnly
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.speak(1)
		time.Sleep(19 * time.Second)
		p.speak(1)
		c.Update(hold) // time on hold does not count
		time.Sleep(time.Hour)
		c.Update(stream())
		time.Sleep(19 * time.Second)
		select {
		case err := <-c.done:
			t.Fatalf("Run() = %v", err)
		default:
		}
		began := time.Now()
		err := <-c.done
		if media.CauseOf(err) != media.MediaTimeout {
			t.Errorf("Run() = %v", err)
		}
		if d := time.Since(began); d != time.Second {
			t.Errorf("timed out after %v", 19*time.Second+d)
		}
		if diff := cmp.Diff([]bool{true, false}, c.holds); diff != "" {
			t.Error(diff)
		}
	})
}

func TestMediaTimeoutCanBeOff(t *testing.T) {
	inCall(t, func(cfg *rtp.Config) { cfg.Timeout = -1 }, func(t *testing.T, c *call, _ *peer) {
		time.Sleep(time.Hour)
		synctest.Wait()
		select {
		case err := <-c.done:
			t.Errorf("Run() = %v", err)
		default:
		}
	})
}

func TestStrangersDoNotKeepTheCallAlive(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.speak(1)
		p.from = stranger
		for range 25 * 50 {
			p.deliver(p.make(voice(1)))
			time.Sleep(ms(20))
		}
		if err := <-c.done; media.CauseOf(err) != media.MediaTimeout {
			t.Errorf("Run() = %v", err)
		}
	})
}

func TestFailingSocketEndsTheSession(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, _ *peer) {
		close(c.wire.closed)
		if err := <-c.done; media.CauseOf(err) != media.LegFailed {
			t.Errorf("Run() = %v", err)
		}
		c.Start()
		c.Update(stream()) // nothing comes of it
	})
}

func TestNothingIsPassedOnBeforeStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dial(t, nil)
		p := c.peer()
		p.from = elsewhere
		p.speak(10)
		if n := len(c.heard()); n != 0 {
			t.Errorf("%d bytes before Start", n)
		}
		if n := len(c.wire.packets()); n != 0 {
			t.Errorf("%d packets sent before Start", n)
		}
		if s := c.Stats(); s.Source != elsewhere {
			t.Errorf("the source is not learnt: %v", s.Source)
		}
		c.Start()
		synctest.Wait()
		sameAudio(t, c.heard(), nil)
		want := p.speak(10)
		sameAudio(t, c.heard(), want)
	})
}

func TestStreamMaySettleLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dial(t, func(cfg *rtp.Config) { cfg.Stream = sdp.Stream{} })
		p := c.peer()
		p.speak(3)
		c.Update(stream())
		c.Start()
		synctest.Wait()
		want := p.speak(3)
		sameAudio(t, c.heard(), want)
		if n := len(c.wire.packets()); n != 3 {
			t.Errorf("%d packets sent in 60 ms", n)
		}
	})
}

func TestJitterIsMeasured(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		for i := range 1000 {
			p.deliver(p.make(voice(p.sequence)))
			time.Sleep(ms(15 + 10*(i%2))) // each transit differs by 5 ms from the last
		}
		// RFC 3550 §A.8 converges on the mean difference.
		if j := c.Stats().Jitter; j < 4500*time.Microsecond || j > 5500*time.Microsecond {
			t.Errorf("jitter %v, want about 5 ms", j)
		}
	})
}

// TestHostileNetworkKeepsTheClock is ten minutes of loss, reordering,
// duplication and jitter.
func TestHostileNetworkKeepsTheClock(t *testing.T) {
	for _, seed := range []uint32{1, 77, 999, 123457} {
		inCall(t, nil, func(t *testing.T, c *call, p *peer) {
			random := seed
			next := func(n uint32) uint32 { // xorshift: the same every time
				random ^= random << 13
				random ^= random >> 17
				random ^= random << 5
				return random % n
			}
			sent := 0
			for range 10 * 60 * 50 {
				d := p.make(voice(p.sequence))
				sent++
				if next(100) >= 5 { // 5 % are lost
					copies := 1
					if next(100) < 2 {
						copies = 2
					}
					for range copies {
						time.AfterFunc(time.Duration(next(60))*time.Millisecond, func() { p.deliver(d) })
					}
				}
				time.Sleep(ms(20))
			}
			time.Sleep(ms(60))
			p.timestamp += 480 // 60 ms in which it was silent
			tail := p.speak(5)
			got := c.heard()
			sameAudio(t, got[len(got)-len(tail):], tail)
			spoken := time.Duration(sent)*ms(20) + ms(60+5*20)
			if off := media.Duration(int64(len(got))) - spoken; off.Abs() > ms(20) {
				t.Errorf("after %v the uplink's clock is off by %v", spoken, off)
			}
			s := c.Stats()
			t.Logf("%d sent: %+v", sent, s)
			if s.Lost == 0 || s.Reordered == 0 || s.Duplicates == 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}
