package bridge

import (
	"math"
	"testing"
	"time"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/realtime/realtimetest"
)

func TestAToneAtAQuarterOfTheRateIsNotPCM(t *testing.T) {
	w := &formatWatch{}
	p := make([]byte, 4000)
	for n := range p {
		p[n] = g711.EncodeUlawFrame(int16(8000 * math.Cos(math.Pi/2*float64(n))))
	}
	if w.suspicious(p) {
		t.Error("2 kHz in µ-law is taken for PCM")
	}
}

func TestTheFormatWatchKnowsPCMFromG711(t *testing.T) {
	for _, format := range []realtimetest.Format{realtimetest.PCMU, realtimetest.PCMA, realtimetest.PCM16} {
		for name, audio := range map[string][]byte{
			"speech":  realtimetest.GreetingAudio(format),
			"tone":    realtimetest.ToneAudio(format, 3*time.Second),
			"silence": make([]byte, 8000),
		} {
			w := &formatWatch{}
			found := false
			for len(audio) > 0 { // ragged deltas
				n := min(len(audio), 1111)
				found = found || w.suspicious(audio[:n])
				audio = audio[n:]
			}
			if want := format == realtimetest.PCM16 && name != "silence"; found != want {
				t.Errorf("%v %s: taken for PCM: %v", format, name, found)
			}
		}
	}
}
