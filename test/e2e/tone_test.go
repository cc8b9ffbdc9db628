package e2e_test

import (
	"sync"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
)

// longestTone is how long any test sings.
const longestTone = time.Minute

// Tones of which every frame tells its position. They take a while to compute.
var tones = map[realtimetest.Format]func() []byte{
	realtimetest.PCMU: sync.OnceValue(func() []byte { return realtimetest.ToneAudio(realtimetest.PCMU, longestTone) }),
	realtimetest.PCMA: sync.OnceValue(func() []byte { return realtimetest.ToneAudio(realtimetest.PCMA, longestTone) }),
}

// tone returns the beginning of a tone.
func tone(f realtimetest.Format, d time.Duration) []byte {
	return tones[f]()[:f.BytesPerMS()*int(d.Milliseconds())]
}

// singing is a voice that sounds for d, whatever it is told.
func singing(d time.Duration) realtimetest.Voice {
	return func(t realtimetest.Turn) realtimetest.Reply {
		return realtimetest.Speak(tone(t.Settings.Output, d), "La.")
	}
}
