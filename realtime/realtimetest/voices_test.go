package realtimetest_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
)

func TestTheGreetingIsShort(t *testing.T) {
	clip := realtimetest.GreetingAudio(realtimetest.PCMU)
	if ms := len(clip) / 8; ms < 2500 || ms > 4000 {
		t.Errorf("%d ms, want 2.5 to 4 s", ms)
	}
	if pcm := realtimetest.GreetingAudio(realtimetest.PCM16); len(pcm) != 6*len(clip) {
		t.Errorf("%d bytes of PCM16 for %d of µ-law, want six times as many", len(pcm), len(clip))
	}
}

func TestToneTellsItsPosition(t *testing.T) {
	for _, f := range []realtimetest.Format{realtimetest.PCMU, realtimetest.PCMA, realtimetest.PCM16} {
		tone := realtimetest.ToneAudio(f, 20*time.Second)
		if len(tone) != 20_000*f.BytesPerMS() {
			t.Errorf("%s: %d bytes", f, len(tone))
		}
		if !bytes.HasPrefix(tone, realtimetest.ToneAudio(f, time.Second)) {
			t.Errorf("%s: a longer tone does not begin like a shorter one", f)
		}
		if f == realtimetest.PCM16 {
			continue
		}
		for at := 0; at+160 <= len(tone); at += 7777 {
			if i := bytes.Index(tone, tone[at:at+160]); i != at {
				t.Errorf("%s: the frame at %d is also at %d", f, at, i)
			}
		}
	}
}

func TestConvert(t *testing.T) {
	ulaw := realtimetest.ToneAudio(realtimetest.PCMU, time.Second)
	for _, via := range []realtimetest.Format{realtimetest.PCMU, realtimetest.PCMA} {
		there := realtimetest.Convert(ulaw, realtimetest.PCMU, via)
		back := realtimetest.Convert(there, via, realtimetest.PCMU)
		differs := 0
		for i := range ulaw {
			if d := int(back[i]) - int(ulaw[i]); d < -1 || d > 1 {
				differs++
			}
		}
		if differs > len(ulaw)/50 {
			t.Errorf("%s and back changes %d of %d bytes", via, differs, len(ulaw))
		}
	}
	silence := realtimetest.PCMU.Silence(20)
	if pcm := realtimetest.Convert(silence, realtimetest.PCMU, realtimetest.PCM16); !bytes.Equal(pcm, make([]byte, 960)) {
		t.Error("silence is not silent in PCM16")
	}
	if back := realtimetest.Convert(make([]byte, 960), realtimetest.PCM16, realtimetest.PCMU); len(back) != 160 {
		t.Errorf("20 ms of PCM16 become %d bytes of µ-law", len(back))
	}
}
