package rtp_test

import (
	"bytes"
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
