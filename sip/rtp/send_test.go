package rtp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/rtp"
	"github.com/callgw/callgw/sip/sdp"
)

func TestSenderIsPacedAndContinuous(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, _ *peer) {
		speech := bytes.Repeat([]byte{1, 2, 3, 4, 5}, 32*10) // ten frames
		c.say(speech)
		time.Sleep(400 * time.Millisecond)
		c.say(speech[:240]) // a frame and a half
		time.Sleep(200 * time.Millisecond)
		sent := c.wire.packets()
		if len(sent) != 30 {
			t.Fatalf("%d packets in 600 ms", len(sent))
		}
		var audio []byte
		for i, d := range sent {
			audio = append(audio, d.payload()...)
			// The first packet, and the first after silence.
			if want := i == 0 || i == 20; d.marker() != want {
				t.Errorf("packet %d has marker %v", i, d.marker())
			}
			if d.kind() != 0 || d.addr != signalled || len(d.b) != 172 {
				t.Errorf("packet %d: type %d, %d bytes to %v", i, d.kind(), len(d.b), d.addr)
			}
			if i == 0 {
				continue
			}
			before := sent[i-1]
			if d.sequence() != before.sequence()+1 || d.timestamp() != before.timestamp()+160 {
				t.Errorf("packet %d does not follow the one before", i)
			}
			if gap := d.at.Sub(before.at); gap != ms(20) {
				t.Errorf("packet %d came %v after the one before", i, gap)
			}
			if !bytes.Equal(d.b[8:12], before.b[8:12]) {
				t.Errorf("packet %d has another SSRC", i)
			}
		}
		sameAudio(t, audio, slices.Concat(speech, silence(1600), speech[:240], silence(1600-240)))
		if s := c.Stats(); s.Sent != 30 || s.SentBytes != 4800 {
			t.Errorf("%+v", s)
		}
	})
}

func TestPacketTimesSent(t *testing.T) {
	for _, test := range []struct{ ptime, packets, bytes int }{
		{10, 60, 80}, {20, 30, 160}, {30, 20, 240}, {40, 15, 320}, {60, 10, 480},
	} {
		change := func(cfg *rtp.Config) {
			cfg.Stream.Ptime = ms(test.ptime)
			cfg.Stream.Codec, cfg.Stream.Send.Audio = media.PCMA, 8
		}
		inCall(t, change, func(t *testing.T, c *call, _ *peer) {
			speech := bytes.Repeat([]byte{9, 8, 7}, 800)
			c.say(speech)
			time.Sleep(600 * time.Millisecond)
			sent := c.wire.packets()
			if len(sent) != test.packets {
				t.Fatalf("ptime %d: %d packets in 600 ms", test.ptime, len(sent))
			}
			var audio []byte
			for i, d := range sent {
				audio = append(audio, d.payload()...)
				if len(d.payload()) != test.bytes {
					t.Fatalf("ptime %d: %d bytes", test.ptime, len(d.payload()))
				}
				if i > 0 && d.timestamp() != sent[i-1].timestamp()+uint32(test.bytes) {
					t.Errorf("ptime %d: packet %d's timestamp", test.ptime, i)
				}
			}
			sameAudio(t, audio, slices.Concat(speech, bytes.Repeat([]byte{0xD5}, 2400)))
		})
	}
}

func TestSkippedFramesAdvanceTheTimestampOnly(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, _ *peer) {
		c.say(bytes.Repeat([]byte{1}, 1600))
		time.Sleep(ms(20))
		first := c.wire.packets()[0]
		rtp.Tick(c.Session, 5)
		d := c.wire.packets()[0]
		if d.sequence() != first.sequence()+1 || d.timestamp() != first.timestamp()+6*160 || !d.marker() {
			t.Errorf("sequence +%d, timestamp +%d, marker %v", d.sequence()-first.sequence(), d.timestamp()-first.timestamp(), d.marker())
		}
		if s := c.Stats(); s.Skipped != 5 {
			t.Errorf("%+v", s)
		}
	})
}

func TestNothingIsSentOnHold(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, _ *peer) {
		time.Sleep(ms(40))
		before := c.wire.packets()
		for _, d := range []sdp.Direction{sdp.RecvOnly, sdp.Inactive} {
			hold := stream()
			hold.Direction = d
			c.Update(hold)
			c.say([]byte{1, 2, 3}) // must wait
			time.Sleep(ms(400))
			if n := len(c.wire.packets()); n != 0 {
				t.Errorf("%d packets sent while %v", n, d)
			}
		}
		c.Update(stream())
		time.Sleep(ms(20))
		after := c.wire.packets()
		if len(after) != 1 {
			t.Fatalf("%d packets after the hold", len(after))
		}
		last := before[len(before)-1]
		if !after[0].marker() || after[0].sequence() != last.sequence()+1 || after[0].timestamp() != last.timestamp()+41*160 {
			t.Errorf("marker %v, sequence +%d, timestamp +%d", after[0].marker(), after[0].sequence()-last.sequence(), after[0].timestamp()-last.timestamp())
		}
		sameAudio(t, after[0].payload()[:6], []byte{1, 2, 3, 1, 2, 3})
	})
}

func TestNothingIsTakenWithoutAnAddress(t *testing.T) {
	inCall(t, func(cfg *rtp.Config) { cfg.Stream.Remote = netip.AddrPort{} }, func(t *testing.T, c *call, p *peer) {
		c.say(voice(1))
		time.Sleep(time.Second)
		if n := len(c.wire.packets()); n != 0 {
			t.Errorf("%d packets sent to nobody", n)
		}
		p.from = elsewhere
		p.speak(2)
		sent := c.wire.packets()
		if len(sent) == 0 || sent[0].addr != elsewhere {
			t.Fatalf("sent %v", sent)
		}
		sameAudio(t, sent[0].payload(), voice(1))
	})
}

func TestListenerIsHeldByNobody(t *testing.T) {
	listener := func(cfg *rtp.Config) { cfg.Stream.Direction = sdp.SendOnly }
	inCall(t, listener, func(t *testing.T, c *call, p *peer) {
		time.Sleep(time.Minute) // it sends nothing, as it said: no time-out
		p.speak(5)
		select {
		case err := <-c.done:
			t.Fatalf("Run() = %v", err)
		default:
		}
		if i := bytes.IndexFunc(c.heard(), func(r rune) bool { return r < 0x80 }); i >= 0 {
			t.Error("audio of a peer that was not to send")
		}
		if len(c.holds) != 0 {
			t.Errorf("holds %v", c.holds)
		}
	})
}

func TestDigitsAreSent(t *testing.T) {
	types := func(cfg *rtp.Config) { cfg.Stream.Send.Event = 96 }
	inCall(t, types, func(t *testing.T, c *call, _ *peer) {
		c.say(voice(1))
		time.Sleep(ms(10)) // after the first frame
		c.say(voice(2))
		for _, d := range []media.Digit{'1', '#'} {
			if err := c.SendDigit(d, 90*time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(600 * time.Millisecond)
		sent := c.wire.packets()
		var codes []byte
		var audio []byte
		for i, d := range sent {
			if d.kind() == 0 {
				audio = append(audio, d.payload()...)
			} else {
				codes = append(codes, d.payload()[0])
			}
			if i > 0 && d.sequence() != sent[i-1].sequence()+1 {
				t.Errorf("packet %d is out of sequence", i)
			}
		}
		// 90 ms at 20 ms a packet: four, then the last three times.
		if want := append(bytes.Repeat([]byte{1}, 7), bytes.Repeat([]byte{11}, 7)...); !bytes.Equal(codes, want) {
			t.Errorf("events %v", codes)
		}
		sameAudio(t, audio[:320], slices.Concat(voice(1), silence(160))) // the agent's audio waits
		if !bytes.Contains(audio, voice(2)) {
			t.Error("the agent's audio was lost")
		}
		for i, want := range []struct {
			marker, end bool
			duration    int
		}{{true, false, 160}, {false, false, 320}, {false, false, 480}, {false, false, 640}, {false, true, 720}, {false, true, 720}, {false, true, 720}} {
			d := sent[1+i]
			p := d.payload()
			if d.kind() != 96 || d.timestamp() != sent[0].timestamp()+160 || d.marker() != want.marker ||
				p[1]&0x80 != 0 != want.end || int(p[2])<<8|int(p[3]) != want.duration {
				t.Errorf("event packet %d: type %d, timestamp +%d, marker %v, payload %v", i, d.kind(), d.timestamp()-sent[0].timestamp(), d.marker(), p)
			}
		}
		if next := sent[8]; next.kind() != 0 || next.timestamp() != sent[0].timestamp()+8*160 {
			t.Errorf("audio after the key: timestamp +%d", next.timestamp()-sent[0].timestamp())
		}
	})
}

// keys returns the telephone-events among the packets, and the audio.
func keys(sent []datagram) (events []datagram, audio []byte) {
	for _, d := range sent {
		if d.kind() == 101 {
			events = append(events, d)
		} else {
			audio = append(audio, d.payload()...)
		}
	}
	return events, audio
}

func (d datagram) duration() int { return int(d.payload()[2])<<8 | int(d.payload()[3]) }
func (d datagram) ends() bool    { return d.payload()[1]&0x80 != 0 }

func TestDigitDurations(t *testing.T) {
	for _, test := range []struct {
		ptime      int
		press      time.Duration
		durations  []int
		firstEnded int
	}{
		{20, 0, []int{160, 320, 480, 640, 800, 800, 800}, 4},
		{20, time.Millisecond, []int{160, 320, 320, 320}, 1}, // not below 40 ms
		{20, ms(50), []int{160, 320, 400, 400, 400}, 2},
		{10, ms(40), []int{80, 160, 240, 320, 320, 320}, 3},
		{30, ms(100), []int{240, 480, 720, 800, 800, 800}, 3},
		{60, ms(40), []int{320, 320, 320}, 0},
	} {
		inCall(t, func(cfg *rtp.Config) { cfg.Stream.Ptime = ms(test.ptime) }, func(t *testing.T, c *call, _ *peer) {
			time.Sleep(ms(60))
			c.wire.packets()
			if err := c.SendDigit('5', test.press); err != nil {
				t.Fatal(err)
			}
			time.Sleep(ms(600))
			events, _ := keys(c.wire.packets())
			if len(events) != len(test.durations) {
				t.Fatalf("ptime %d, %v: %d packets", test.ptime, test.press, len(events))
			}
			for i, d := range events {
				if d.duration() != test.durations[i] || d.ends() != (i >= test.firstEnded) || d.marker() != (i == 0) || d.timestamp() != events[0].timestamp() {
					t.Errorf("ptime %d, %v: packet %d: %d, end %v, marker %v", test.ptime, test.press, i, d.duration(), d.ends(), d.marker())
				}
			}
		})
	}
}

func TestDigitsQueueWithPauses(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, _ *peer) {
		const number = "0123456789*#ABCD"
		for i := range len(number) {
			if err := c.SendDigit(media.Digit(number[i]), 0); err != nil {
				t.Fatal(err)
			}
		}
		c.say(bytes.Repeat([]byte{1}, 160*50))
		time.Sleep(6 * time.Second)
		sent := c.wire.packets()
		events, audio := keys(sent)
		if len(events) != 7*16 || bytes.Count(audio, []byte{1}) != 160*50 {
			t.Fatalf("%d packets, %d bytes of speech", len(events), bytes.Count(audio, []byte{1}))
		}
		for i := 0; i < len(events); i += 7 {
			if code := events[i].payload()[0]; int(code) != i/7 || !events[i].marker() {
				t.Errorf("key %d is %d", i/7, code)
			}
			if i == 0 {
				continue
			}
			// ITU-T Q.24: from the end of the tone to the next one, 60 ms or more.
			end := events[i-1].timestamp() + uint32(events[i-1].duration())
			if gap := events[i].timestamp() - end; gap < 480 || gap > 1600 {
				t.Errorf("%d samples between keys", gap)
			}
			if quiet := events[i].at.Sub(events[i-1].at); quiet < ms(60) {
				t.Errorf("%v from the last packet of one key to the next key", quiet)
			}
		}
		for i, d := range sent {
			if i > 0 && (d.sequence() != sent[i-1].sequence()+1 || d.at.Sub(sent[i-1].at) != ms(20)) {
				t.Errorf("packet %d is out of step", i)
			}
		}
	})
}

// TestLongDigitsAreSentInSegments lets the receiving half judge as well.
func TestLongDigitsAreSentInSegments(t *testing.T) {
	for _, press := range []time.Duration{8191 * time.Millisecond, 8192 * time.Millisecond, 8200 * time.Millisecond, 20 * time.Second, time.Minute} {
		inCall(t, func(cfg *rtp.Config) { cfg.Timeout = -1 }, func(t *testing.T, c *call, p *peer) {
			if err := c.SendDigit('9', press); err != nil {
				t.Fatal(err)
			}
			time.Sleep(press + time.Second)
			events, _ := keys(c.wire.packets())
			samples := int(press / (125 * time.Microsecond))
			total, segments := 0, 1
			for i, d := range events {
				if i > 0 && d.timestamp() != events[i-1].timestamp() {
					// RFC 4733 §2.5.1.3
					segments++
					if before := events[i-1]; before.duration() != 0xFFFF || before.ends() || d.timestamp() != before.timestamp()+0xFFFF {
						t.Errorf("%v: a segment of %d, end %v, before +%d", press, before.duration(), before.ends(), d.timestamp()-before.timestamp())
					}
					total += 0xFFFF
				} else if i > 0 && d.duration() < events[i-1].duration() {
					t.Errorf("%v: %d after %d", press, d.duration(), events[i-1].duration())
				}
				if d.marker() != (i == 0) || d.ends() != (i >= len(events)-3) {
					t.Errorf("%v: packet %d of %d: marker %v, end %v", press, i, len(events), d.marker(), d.ends())
				}
				p.kind = 101
				e := p.make(d.payload())
				binary.BigEndian.PutUint32(e.b[4:], d.timestamp())
				p.deliver(e)
			}
			if total += events[len(events)-1].duration(); total != samples || segments != (samples-1)/0xFFFF+1 {
				t.Errorf("%v: %d samples in %d segments, want %d", press, total, segments, samples)
			}
			synctest.Wait()
			if got := c.pressed(); got != "9" {
				t.Errorf("%v: heard as %q", press, got)
			}
		})
	}
}

func TestDigitKeepsItsTimeThroughSkippedFrames(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, _ *peer) {
		if err := c.SendDigit('1', ms(200)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(ms(40))
		rtp.Tick(c.Session, 3)
		time.Sleep(ms(300))
		events, _ := keys(c.wire.packets())
		var durations []int
		for _, d := range events {
			durations = append(durations, d.duration())
		}
		if want := []int{160, 320, 960, 1120, 1280, 1440, 1600, 1600, 1600}; !slices.Equal(durations, want) {
			t.Errorf("durations %v", durations)
		}
	})
}

func TestDigitsAreDroppedWhenThePeerTakesNone(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, _ *peer) {
		for range 3 {
			if err := c.SendDigit('1', time.Second); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(ms(40))
		none := stream()
		none.Send.Event, none.Send.Events = 0, false
		c.Update(none)
		c.wire.packets()
		time.Sleep(time.Second)
		for _, d := range c.wire.packets() {
			if len(d.payload()) != 160 {
				t.Fatalf("%d bytes of type %d", len(d.payload()), d.kind())
			}
		}
		if s := c.Stats(); s.DigitsLost != 3 {
			t.Errorf("%+v", s)
		}
	})
}

func TestDigitsThatCannotBeSent(t *testing.T) {
	inCall(t, func(cfg *rtp.Config) { cfg.Stream.Send.Events = false }, func(t *testing.T, c *call, _ *peer) {
		if err := c.SendDigit('1', 0); !errors.Is(err, rtp.ErrNoEvents) {
			t.Errorf("SendDigit() = %v", err)
		}
		c.Update(stream())
		if err := c.SendDigit('x', 0); err == nil || errors.Is(err, rtp.ErrNoEvents) {
			t.Errorf("SendDigit('x') = %v", err)
		}
		for range 64 {
			if err := c.SendDigit('1', 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.SendDigit('1', 0); !errors.Is(err, rtp.ErrBusy) {
			t.Errorf("SendDigit() = %v", err)
		}
	})
}

func TestNothingIsSentAfterRun(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, _ *peer) {
		time.Sleep(ms(100))
		c.cancel()
		if err := <-c.done; err != nil {
			t.Errorf("Run() = %v", err)
		}
		c.wire.packets()
		heard := len(c.heard())
		c.Start()
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(c.wire.packets()); n != 0 {
			t.Errorf("%d packets sent after Run returned", n)
		}
		if len(c.heard()) != heard {
			t.Error("audio passed on after Run returned")
		}
	})
}
