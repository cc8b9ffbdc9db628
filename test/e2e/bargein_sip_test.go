package e2e_test

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/test/fixtures"
)

// listening is an agent that is interrupted and then only listens.
const listening = `
greeting: {say: Sing.}
session:
  turn_detection: {type: server_vad, create_response: false, interrupt_response: true}
`

// TestATruncationIsExactOnASIPLeg interrupts a tone whose every frame tells its
// position, and compares what the model was told with the samples that reached
// the phone.
func TestATruncationIsExactOnASIPLeg(t *testing.T) {
	t.Parallel()
	for _, codec := range []media.Codec{media.PCMU, media.PCMA} {
		for _, after := range []int{1, 17, 50, 111, 160} { // frames of tone
			if testing.Short() && after > 20 {
				continue
			}
			t.Run(fmt.Sprintf("%v, %d frames", codec, after), func(t *testing.T) {
				t.Parallel()
				interruptTone(t, codec, after)
			})
		}
	}
}

func interruptTone(t *testing.T, codec media.Codec, after int) {
	const length = 30 * time.Second
	var told atomic.Int64 // when speech_started left the provider
	g := start(t, Setup{Agent: listening, Provider: realtimetest.Config{
		Voice: singing(length),
		Pace:  &realtimetest.Pace{Rate: 4, Shortest: 90 * time.Millisecond, Longest: 500 * time.Millisecond},
		Observe: func(_ *realtimetest.Session, e realtimetest.Event) {
			if e.Sent && e.Type == "input_audio_buffer.speech_started" {
				told.CompareAndSwap(0, time.Now().UnixNano())
			}
		},
	}})
	l := call(t, g, lineConfig{codec: codec})
	s := g.Session(0)
	format, speech := realtimetest.PCMU, fixtures.CallerInterrupt
	if codec == media.PCMA {
		format = realtimetest.PCMA
	}
	song := tone(format, length)
	l.until(patience, "the tone", func() bool { return len(l.packets) >= after })
	l.say(realtimetest.Convert(speech, realtimetest.PCMU, format))
	if err := s.Wait(within(t), func() bool { return len(s.Truncations()) > 0 }); err != nil {
		t.Fatalf("nothing was truncated: %v", err)
	}
	before := len(l.heard())
	l.until(patience, "half a second more", func() bool { return len(l.packets) >= before+25 })
	l.bye()

	frames, lastOld, stray := 0, time.Time{}, 0
	for _, p := range l.heard() {
		at := frames * media.FrameBytes
		switch {
		case bytes.Equal(p.payload, song[at:at+media.FrameBytes]):
			frames++
			lastOld = p.at
		case !l.silent(p):
			stray++
		}
	}
	cut := s.Truncations()
	heard := media.Duration(int64(frames * media.FrameBytes))
	if len(cut) != 1 || cut[0].Error != nil {
		t.Fatalf("truncations: %+v", cut)
	}
	if got := time.Duration(cut[0].AudioEndMS) * time.Millisecond; got != heard {
		t.Errorf("audio_end_ms says %v, the phone heard %v", got, heard)
	}
	if cut[0].AudioEndMS > cut[0].SentMS {
		t.Errorf("truncated at %d ms of %d", cut[0].AudioEndMS, cut[0].SentMS)
	}
	if stray > 0 {
		t.Errorf("%d packets are neither the tone in order nor silence", stray)
	}
	late := lastOld.Sub(time.Unix(0, told.Load()))
	if late > 100*time.Millisecond {
		t.Errorf("the last old sample came %v after speech_started", late)
	}
	t.Logf("heard %v of %d ms; the last old packet came %v after speech_started", heard, cut[0].SentMS, late)
}
