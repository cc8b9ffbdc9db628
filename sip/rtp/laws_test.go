package rtp_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/rtp"
	"github.com/callgw/callgw/sip/sdp"
)

// polyglot is a phone that notes the law of what it hears and is to say.
type polyglot struct {
	phone
	mu   sync.Mutex
	told []string
}

func (p *polyglot) note(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, s)
}

// notes returns what was noted since the last time.
func (p *polyglot) notes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	told := p.told
	p.told = nil
	return told
}

func (p *polyglot) Frame(b []byte) { p.note(fmt.Sprintf("%d of %#x", len(b), b[0])) }

// bothLaws is a stream whose answer named both laws.
func bothLaws() sdp.Stream {
	s := stream()
	s.Laws = []sdp.Law{{Codec: media.PCMU}, {Codec: media.PCMA, Send: 8, Receive: 8}}
	return s
}

func TestThePeerChangesItsLawWithoutAWord(t *testing.T) {
	pg := &polyglot{}
	inCall(t, func(cfg *rtp.Config) {
		cfg.Stream, cfg.Uplink = bothLaws(), pg
		cfg.UplinkLaw = func(law media.Codec) { pg.note("hears " + law.String()) }
		cfg.DownlinkLaw = func(law media.Codec) { pg.note("says " + law.String()) }
	}, func(t *testing.T, c *call, p *peer) {
		say := func(kind, b byte) {
			p.kind = kind
			p.deliver(p.make(bytes.Repeat([]byte{b}, 160)))
			time.Sleep(ms(20))
			synctest.Wait()
		}
		say(0, 1)
		say(8, 2)
		say(8, 3)
		p.make(make([]byte, 160)) // is lost
		say(8, 4)                 // after a gap, which is filled in the law that is spoken
		time.Sleep(ms(40))
		synctest.Wait()
		say(0, 5)
		want := []string{
			"says pcmu", "hears pcmu", "160 of 0x1", "hears pcma", "160 of 0x2", "160 of 0x3",
			"160 of 0xd5", "160 of 0x4", "hears pcmu", "160 of 0x5",
		}
		if diff := cmp.Diff(want, pg.notes()); diff != "" {
			t.Error(diff)
		}
		if s := c.Stats(); s.Rejected != [rtp.Reasons]uint64{} {
			t.Errorf("rejected: %v", s.Rejected)
		}
		for _, d := range c.wire.packets() {
			if d.kind() != 0 {
				t.Fatalf("payload type %d is sent", d.kind())
			}
		}
	})
}

// Packets that wait behind a gap keep their law.
func TestReorderedPacketsOfTwoLaws(t *testing.T) {
	pg := &polyglot{}
	inCall(t, func(cfg *rtp.Config) {
		cfg.Stream, cfg.Uplink = bothLaws(), pg
		cfg.UplinkLaw = func(law media.Codec) { pg.note("hears " + law.String()) }
	}, func(t *testing.T, _ *call, p *peer) {
		p.deliver(p.make(bytes.Repeat([]byte{1}, 160)))
		second := p.make(bytes.Repeat([]byte{2}, 160))
		p.kind = 8
		p.deliver(p.make(bytes.Repeat([]byte{3}, 160)))
		p.deliver(second)
		synctest.Wait()
		want := []string{"hears pcmu", "160 of 0x1", "160 of 0x2", "hears pcma", "160 of 0x3"}
		if diff := cmp.Diff(want, pg.notes()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPayloadTypesThatAreUnderstood(t *testing.T) {
	both := []sdp.Law{{Codec: media.PCMU, Send: 118, Receive: 0}, {Codec: media.PCMA, Send: 8, Receive: 8}}
	events := sdp.PayloadTypes{Audio: 0, Event: 101, Events: true}
	for _, test := range []struct {
		name    string
		streams []sdp.Stream // one after the other
		want    map[uint8]string
	}{
		{"one law", []sdp.Stream{{Receive: events, Send: events}}, map[uint8]string{0: "pcmu", 8: "", 101: "", 13: ""}},
		{"both", []sdp.Stream{{Receive: events, Send: events, Laws: both}}, map[uint8]string{0: "pcmu", 8: "pcma", 118: "pcmu", 18: ""}},
		{"the other afterwards", []sdp.Stream{
			{Receive: events, Send: events},
			{Codec: media.PCMA, Receive: sdp.PayloadTypes{Audio: 8}, Send: sdp.PayloadTypes{Audio: 8}},
		}, map[uint8]string{0: "pcmu", 8: "pcma"}},
		{"numbers that mean another law than ours", []sdp.Stream{
			{Receive: sdp.PayloadTypes{Audio: 0}, Send: sdp.PayloadTypes{Audio: 8}},
		}, map[uint8]string{0: "pcmu", 8: "pcmu"}},
		{"numbers of ours that mean another law than theirs", []sdp.Stream{
			{Receive: sdp.PayloadTypes{Audio: 0}, Send: sdp.PayloadTypes{Audio: 8}, Laws: []sdp.Law{
				{Codec: media.PCMU, Send: 8, Receive: 0}, {Codec: media.PCMA, Send: 0, Receive: 8},
			}},
		}, map[uint8]string{0: "pcmu", 8: "pcma"}},
		{"a number that is an event's now", []sdp.Stream{
			{Receive: sdp.PayloadTypes{Audio: 101}, Send: sdp.PayloadTypes{Audio: 101}},
			{Receive: events, Send: events},
		}, map[uint8]string{101: "", 0: "pcmu"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var kinds [128]string
			for _, k := range rtp.Understood(test.streams...) {
				kinds[k.Kind] = k.Law.String()
			}
			for kind, want := range test.want {
				if kinds[kind] != want {
					t.Errorf("%d is %q, want %q", kind, kinds[kind], want)
				}
			}
		})
	}
}

// What was settled before is understood while the peer changes; what we send changes at
// once.
func TestUpdateToTheOtherLaw(t *testing.T) {
	pg := &polyglot{}
	inCall(t, func(cfg *rtp.Config) {
		cfg.Uplink = pg
		cfg.UplinkLaw = func(law media.Codec) { pg.note("hears " + law.String()) }
	}, func(t *testing.T, c *call, p *peer) {
		say := func(kind, b byte) {
			p.kind = kind
			p.deliver(p.make(bytes.Repeat([]byte{b}, 160)))
			time.Sleep(ms(20))
			synctest.Wait()
		}
		say(0, 1)
		say(8, 2) // nobody has agreed to that: a gap
		if got := c.Stats().Rejected[rtp.Payload]; got != 1 {
			t.Errorf("%d packets are rejected", got)
		}
		next := stream()
		next.Codec, next.Send.Audio, next.Receive.Audio = media.PCMA, 8, 8
		c.Update(next)
		synctest.Wait()
		c.wire.packets()
		say(0, 3)
		say(8, 4)
		want := []string{"hears pcmu", "160 of 0x1", "hears pcma", "hears pcmu", "160 of 0xff", "160 of 0x3", "hears pcma", "160 of 0x4"}
		if diff := cmp.Diff(want, pg.notes()); diff != "" {
			t.Error(diff)
		}
		for _, d := range c.wire.packets() {
			if d.kind() != 8 || !bytes.Equal(d.payload(), bytes.Repeat([]byte{media.PCMA.Silence()}, 160)) {
				t.Fatalf("payload type %d with %x is sent", d.kind(), d.payload()[:1])
			}
		}
	})
}
