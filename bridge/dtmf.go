package bridge

import (
	"math"
	"time"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge/media"
)

// How digits sound in the audio (ITU-T Q.23; Q.24 asks for 40 ms and more).
const (
	toneLength = 120 * time.Millisecond
	toneGap    = 100 * time.Millisecond
	toneLevel  = 7000 // of 32767, each of the two tones: -13 dBFS
)

// toneRows and toneColumns are the frequencies, in Hz, of the keypad.
var (
	toneRows    = [4]float64{697, 770, 852, 941}
	toneColumns = [4]float64{1209, 1336, 1477, 1633}
	keypad      = [4]string{"123A", "456B", "789C", "*0#D"}
)

// dtmfTones returns digits as µ-law audio; a comma is a pause of half a second,
// and whatever is no digit is left out.
func dtmfTones(digits string) []byte {
	var audio []byte
	for i := range len(digits) {
		if digits[i] == ',' {
			audio = appendSilence(audio, 500*time.Millisecond)
			continue
		}
		d, ok := media.ParseDigit(digits[i])
		if !ok {
			continue
		}
		audio = appendTone(audio, d)
		audio = appendSilence(audio, toneGap)
	}
	return audio
}

func appendTone(audio []byte, d media.Digit) []byte {
	low, high := frequencies(d)
	for n := range media.Bytes(toneLength) {
		t := 2 * math.Pi * float64(n) / media.SampleRate
		v := toneLevel * (math.Sin(low*t) + math.Sin(high*t))
		audio = append(audio, g711.EncodeUlawFrame(int16(v)))
	}
	return audio
}

func frequencies(d media.Digit) (low, high float64) {
	for row, keys := range keypad {
		for column := range len(keys) {
			if keys[column] == byte(d) {
				return toneRows[row], toneColumns[column]
			}
		}
	}
	return 0, 0
}

func appendSilence(audio []byte, d time.Duration) []byte {
	start := len(audio)
	audio = append(audio, make([]byte, media.Bytes(d))...)
	media.PCMU.FillSilence(audio[start:])
	return audio
}
