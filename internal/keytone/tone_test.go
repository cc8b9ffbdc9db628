package keytone_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/keytone"
)

// power is how much of a frequency there is in µ-law or A-law audio (Goertzel).
func power(audio []byte, law media.Codec, hz float64) float64 {
	k := 2 * math.Cos(2*math.Pi*hz/media.SampleRate)
	var a, b float64
	for _, code := range audio {
		v := float64(g711.DecodeUlawFrame(code))
		if law == media.PCMA {
			v = float64(g711.DecodeAlawFrame(code))
		}
		a, b = v+k*a-b, a
	}
	return math.Sqrt(a*a+b*b-k*a*b) * 2 / float64(len(audio))
}

func TestEachKeySoundsItsTwoTones(t *testing.T) {
	rows, columns := []float64{697, 770, 852, 941}, []float64{1209, 1336, 1477, 1633}
	for _, law := range []media.Codec{media.PCMU, media.PCMA} {
		for i, d := range []media.Digit("123A456B789C*0#D") {
			tone := keytone.New(d, 100*time.Millisecond)
			audio := make([]byte, 1000)
			n := tone.Fill(audio, law)
			if n != 800 || tone.Fill(audio[n:], law) != 0 {
				t.Fatalf("%s lasts %d samples", d, n)
			}
			for j, hz := range append(append([]float64{}, rows...), columns...) {
				loud := power(audio[:n], law, hz) > 5000
				if want := j == i/4 || j == 4+i%4; loud != want {
					t.Errorf("%s in %s: %v Hz %v", d, law, hz, power(audio[:n], law, hz))
				}
			}
		}
	}
}

func TestPiecesOfAToneAreTheWhole(t *testing.T) {
	whole, pieces := make([]byte, 1600), []byte(nil)
	a, b := keytone.New('5', 200*time.Millisecond), keytone.New('5', 200*time.Millisecond)
	a.Fill(whole, media.PCMU)
	piece := make([]byte, 70)
	for n := b.Fill(piece, media.PCMU); n > 0; n = b.Fill(piece, media.PCMU) {
		pieces = append(pieces, piece[:n]...)
	}
	if !bytes.Equal(whole, pieces) {
		t.Errorf("%d bytes in pieces, %d whole, not the same", len(pieces), len(whole))
	}
}

func TestWhatIsNoKeyHasNoSound(t *testing.T) {
	tone := keytone.New('x', time.Second)
	if n := tone.Fill(make([]byte, 160), media.PCMU); n != 0 {
		t.Errorf("%d samples", n)
	}
}
