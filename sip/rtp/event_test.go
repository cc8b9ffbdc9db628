package rtp_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
)

func TestKeyIsReportedOnceAtItsStart(t *testing.T) {
	for _, test := range []struct {
		name  string
		lost  []int // of the packets 0 to 7: five of the key, three of its end
		when  int   // the packet at which it is reported
		twice bool
	}{
		{"all packets", nil, 0, false},
		{"the first lost", []int{0}, 1, false},
		{"only the last ends arrive", []int{0, 1, 2, 3, 4, 5}, 6, false},
		{"no end arrives", []int{5, 6, 7}, 0, false},
		{"every packet twice", nil, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			inCall(t, nil, func(t *testing.T, c *call, p *peer) {
				want := p.speak(5)
				for i := range 8 {
					if slices.Contains(test.lost, i) {
						p.sequence++
					} else {
						p.event(5, i >= 5, min(i+1, 5)*160)
						if test.twice {
							p.sequence--
							p.event(5, i >= 5, min(i+1, 5)*160)
						}
					}
					synctest.Wait()
					if got, pressed := c.pressed(), i >= test.when; (got == "5") != pressed || len(got) > 1 {
						t.Fatalf("after packet %d: %q", i, got)
					}
					if i < 5 {
						time.Sleep(ms(20)) // the ends come together
					}
				}
				p.timestamp += 800
				want = slices.Concat(want, silence(800), p.speak(5))
				sameAudio(t, c.heard(), want)
				if s := c.Stats(); s.Digits != 1 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestSameKeyAgainIsAnotherPress(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.speak(2)
		for _, code := range []uint8{1, 1, 10, 11, 15, 16, 66} { // 16 and 66 are no keys
			for i := range 3 {
				p.event(code, false, 160*(i+1))
				time.Sleep(ms(20))
			}
			for range 3 {
				p.event(code, true, 480)
			}
			p.timestamp += 480
			p.speak(3)
		}
		if got := c.pressed(); got != "11*#D" {
			t.Errorf("pressed %q", got)
		}
	})
}

func TestLongPressInSegmentsIsOnePress(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.speak(1)
		for range 3 { // RFC 4733 §2.5.1.3
			p.event(9, false, 160)
			p.event(9, false, 0xFFFF)
			p.timestamp += 0xFFFF
			time.Sleep(time.Second)
		}
		p.event(9, true, 800)
		synctest.Wait()
		if got := c.pressed(); got != "9" {
			t.Errorf("pressed %q", got)
		}
	})
}

func TestStragglerOfAnEarlierKeyIsNoPress(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.speak(1)
		old := *p
		p.event(1, true, 480)
		p.timestamp += 1000
		p.event(2, true, 480)
		old.sequence = p.sequence
		old.event(1, true, 480)
		synctest.Wait()
		if got := c.pressed(); got != "12" {
			t.Errorf("pressed %q", got)
		}
	})
}

// A border controller that changes its source of media keeps the SSRC.
func TestKeysAfterTheCountersBeganAnew(t *testing.T) {
	for _, test := range []struct {
		name      string
		timestamp uint32 // of the stream that goes on
		pause     int    // packets of audio before the key
	}{
		{"far back", 1000, 10},
		{"far back, with a key at once", 1000, 0},
		{"a second back", 50_000_000 - 8000, 10},
		{"a second back, with a key at once", 50_000_000 - 8000, 0},
		{"ahead, with a key at once", 1_000_000_000, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			inCall(t, nil, func(t *testing.T, c *call, p *peer) {
				p.timestamp, p.sequence = 50_000_000, 40_000
				p.speak(5)
				p.press(1)
				p.speak(5)
				p.timestamp, p.sequence = test.timestamp, 1
				p.speak(test.pause)
				p.press(2)
				p.speak(5)
				p.press(3)
				synctest.Wait()
				if got := c.pressed(); got != "123" {
					t.Errorf("pressed %q", got)
				}
			})
		})
	}
}

// Some senders stamp every packet of an event with its own time.
func TestTimestampsThatGrowAreOnePress(t *testing.T) {
	for name, lost := range map[string][]int{
		"all packets":       nil,
		"the first lost":    {0},
		"one in the middle": {2},
		"the first end":     {5},
		"all ends":          {5, 6, 7},
	} {
		t.Run(name, func(t *testing.T) {
			inCall(t, nil, func(t *testing.T, c *call, p *peer) {
				p.speak(5)
				for range 2 {
					for i := range 8 { // five of the key, three of its end
						if slices.Contains(lost, i) {
							p.sequence++
						} else {
							p.event(1, i >= 5, min(i+1, 5)*160)
						}
						p.timestamp += 160
						time.Sleep(ms(20))
					}
					p.speak(5)
				}
				synctest.Wait()
				if got := c.pressed(); got != "11" {
					t.Errorf("two presses of 1 are %q", got)
				}
			})
		})
	}
}

func TestKeysAreReleased(t *testing.T) {
	for _, test := range []struct {
		name  string
		press func(p *peer)
		want  []time.Duration
	}{
		{"at their end", func(p *peer) { p.press(1); p.press(1) }, []time.Duration{ms(60), ms(60)}},
		{"when they last long", func(p *peer) {
			for range 2 { // RFC 4733 §2.5.1.3
				p.event(9, false, 160)
				p.event(9, false, 0xFFFF)
				p.timestamp += 0xFFFF
			}
			p.event(9, true, 800)
		}, []time.Duration{2*media.Duration(0xFFFF) + ms(100)}},
		{"when each packet has its own timestamp", func(p *peer) {
			for i := range 5 {
				p.event(1, i == 4, 160*(i+1))
				p.timestamp += 160
			}
		}, []time.Duration{ms(100)}},
		{"by audio, when the end is lost", func(p *peer) {
			p.event(1, false, 160)
			p.event(1, false, 320)
			p.timestamp += 480
			p.speak(7)
		}, []time.Duration{ms(40)}},
		{"by the next, when the end is lost", func(p *peer) {
			p.event(1, false, 160)
			p.timestamp += 480
			p.press(2)
		}, []time.Duration{ms(20), ms(60)}},
		{"by another stream", func(p *peer) {
			p.event(1, false, 160)
			time.Sleep(ms(20))
			p.ssrc, p.timestamp = 0xBEEF, 7
			p.speak(5)
		}, []time.Duration{ms(20)}},
		{"not while audio of the same time comes", func(p *peer) {
			for i := range 20 {
				p.event(1, i == 19, 160*(i+1))
				audio := *p
				audio.timestamp += uint32(160 * i)
				audio.speak(1)
				p.sequence = audio.sequence
			}
		}, []time.Duration{ms(400)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inCall(t, nil, func(t *testing.T, c *call, p *peer) {
				p.speak(5)
				test.press(p)
				synctest.Wait()
				if diff := cmp.Diff(test.want, c.released()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestShortEventPayloadIsMalformed(t *testing.T) {
	inCall(t, nil, func(t *testing.T, c *call, p *peer) {
		p.speak(1)
		p.kind = 101
		p.deliver(p.make([]byte{1, 2, 3}))
		synctest.Wait()
		if s := c.Stats(); c.pressed() != "" || s.Rejected[0] != 1 {
			t.Errorf("pressed %q, %+v", c.pressed(), s)
		}
	})
}
