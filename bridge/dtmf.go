package bridge

import (
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/keytone"
)

// How long digits sound in the audio (ITU-T Q.24 asks for 40 ms and more).
const (
	toneLength = 120 * time.Millisecond
	toneGap    = 100 * time.Millisecond
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
	tone, start := keytone.New(d, toneLength), len(audio)
	audio = append(audio, make([]byte, media.Bytes(toneLength))...)
	return audio[:start+tone.Fill(audio[start:], media.PCMU)]
}

func appendSilence(audio []byte, d time.Duration) []byte {
	start := len(audio)
	audio = append(audio, make([]byte, media.Bytes(d))...)
	media.PCMU.FillSilence(audio[start:])
	return audio
}
