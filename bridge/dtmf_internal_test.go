package bridge

import (
	"math"
	"testing"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge/media"
)

// power returns how much of a frequency is in µ-law audio (Goertzel).
func power(ulaw []byte, hz float64) float64 {
	w := 2 * math.Cos(2*math.Pi*hz/media.SampleRate)
	var a, b float64
	for _, s := range ulaw {
		a, b = float64(g711.DecodeUlawFrame(s))+w*a-b, a
	}
	return a*a + b*b - w*a*b
}

func TestDigitsSoundInTheirTwoFrequencies(t *testing.T) {
	for row, keys := range keypad {
		for column := range len(keys) {
			tone := dtmfTones(keys[column : column+1])[:media.Bytes(toneLength)]
			for r, hz := range toneRows {
				if on := power(tone, hz) > power(tone, toneRows[row])/10; on != (r == row) {
					t.Errorf("%c: %v Hz on = %v", keys[column], hz, on)
				}
			}
			for c, hz := range toneColumns {
				if on := power(tone, hz) > power(tone, toneColumns[column])/10; on != (c == column) {
					t.Errorf("%c: %v Hz on = %v", keys[column], hz, on)
				}
			}
		}
	}
}

func TestWhatIsNoDigitIsLeftOut(t *testing.T) {
	if got := len(dtmfTones("x-1")); int64(got) != media.Bytes(toneLength+toneGap) {
		t.Errorf("%d bytes for one digit", got)
	}
	if got := len(dtmfTones(",")); int64(got) != media.Bytes(500e6) {
		t.Errorf("%d bytes for a pause", got)
	}
}
