package realtimetest

import (
	_ "embed"
	"encoding/binary"
	"math"
	"time"
)

// greeting says GreetingText in 8 kHz µ-law. test/fixtures/README.md tells how
// it was made.
//
//go:embed clips/greeting.ulaw
var greeting []byte

// GreetingText is what the embedded clip says.
const GreetingText = "Hello, this is call G W. Speak after me, and I will repeat what you say."

// GreetingAudio returns the embedded clip.
func GreetingAudio(f Format) []byte { return Convert(greeting, PCMU, f) }

// Greet speaks the embedded clip.
func Greet(t Turn) Reply { return Speak(GreetingAudio(t.Settings.Output), GreetingText) }

// Parrot greets when there is nothing to repeat, or when the response has
// instructions of its own, and else repeats what the caller said last: the same
// bytes if both directions have one format.
func Parrot(t Turn) Reply {
	if len(t.Audio) == 0 || t.Instructions != "" {
		return Greet(t)
	}
	return Speak(Convert(t.Audio, t.Settings.Input, t.Settings.Output), t.Said)
}

// Tone returns a voice that sounds for d, whatever it is told.
func Tone(d time.Duration) Voice {
	return func(t Turn) Reply {
		return Speak(ToneAudio(t.Settings.Output, d), "Tone.")
	}
}

// ToneAudio returns d of a quiet tone that rises by 50 Hz a second from 300 Hz,
// and begins again every 40 s. Its phase is continuous and depends on the
// position alone, so that any stretch of it tells where it was taken from, and
// a lost, doubled or shifted sample shows.
func ToneAudio(f Format, d time.Duration) []byte {
	const start, slope, period = 300.0, 50.0, 40.0 // Hz, Hz/s, s
	rate := 8000.0
	if f == PCM16 {
		rate = 24000
	}
	n := int(int64(d/time.Millisecond) * int64(rate) / 1000)
	pcm := make([]byte, 0, 2*n)
	for i := range n {
		t := math.Mod(float64(i)/rate, period)
		v := 6000 * math.Sin(2*math.Pi*(start*t+slope*t*t/2))
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(math.Round(v))))
	}
	if f == PCM16 {
		return pcm
	}
	return compand(pcm, f)
}
