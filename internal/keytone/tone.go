package keytone

import (
	"math"
	"time"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge/media"
)

// level is that of each of the two tones, of 32767: -13 dBFS.
const level = 7000

// rows and columns are the frequencies, in Hz, of the keypad.
var (
	rows    = [4]float64{697, 770, 852, 941}
	columns = [4]float64{1209, 1336, 1477, 1633}
	keypad  = [4]string{"123A", "456B", "789C", "*0#D"}
)

// Tone is the sound of one key press, as far as it was not taken yet. The zero value
// is over.
type Tone struct {
	low, high float64 // Hz
	at, left  int     // samples
}

// New returns the sound of a key that is pressed for so long. That of what is no key
// is over.
func New(d media.Digit, length time.Duration) Tone {
	for row, keys := range keypad {
		for column := range len(keys) {
			if keys[column] == byte(d) {
				return Tone{low: rows[row], high: columns[column], left: int(media.Bytes(length))}
			}
		}
	}
	return Tone{}
}

// Fill writes what comes next to the beginning of p and returns how much that is: less
// than len(p) when the tone is over.
func (t *Tone) Fill(p []byte, law media.Codec) int {
	encode := g711.EncodeUlawFrame
	if law == media.PCMA {
		encode = g711.EncodeAlawFrame
	}
	n := min(len(p), t.left)
	for i := range n {
		at := 2 * math.Pi * float64(t.at+i) / media.SampleRate
		p[i] = encode(int16(level * (math.Sin(t.low*at) + math.Sin(t.high*at))))
	}
	t.at += n
	t.left -= n
	return n
}
