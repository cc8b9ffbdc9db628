package transcode_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/transcode"
)

// Sines last a second, so that every whole frequency is a bin of its own. Their
// frequencies divide no rate: what companding adds is then spread over all bins
// instead of gathering in harmonics.

// sine is a second of a sine as 16-bit samples.
func sine(rate int, frequency, amplitude float64) []int16 {
	s := make([]int16, rate)
	for i := range s {
		s[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*frequency*float64(i)/float64(rate)+0.3)))
	}
	return s
}

// amplitudeAt is the amplitude of one frequency in a second of samples.
func amplitudeAt(s []int16, frequency float64) float64 {
	var re, im float64
	for i, v := range s {
		sin, cos := math.Sincos(2 * math.Pi * frequency * float64(i) / float64(len(s)))
		re += float64(v) * cos
		im += float64(v) * sin
	}
	return 2 * math.Hypot(re, im) / float64(len(s))
}

func decibels(ratio float64) float64 { return 20 * math.Log10(max(ratio, 1e-9)) }

// lineOf is the samples that G.711 stands for.
func lineOf(law media.Codec, audio []byte) []int16 {
	s := make([]int16, len(audio))
	for i, b := range audio {
		s[i] = linear(law, b)
	}
	return s
}

const amplitude = 24000

// settled is the second of three seconds, clear of what the ends do.
func settled[T any](s []T) []T { return s[len(s)/3 : 2*len(s)/3] }

func TestPassBand(t *testing.T) {
	each(t, func(t *testing.T, law media.Codec, rate int) {
		var up, down float64 // the largest deviations, in dB
		for _, f := range []float64{61, 307, 997, 1499, 2003, 2503, 2999, 3203, 3307, 3391} {
			line := encode(t, law, 8000, pcm(sine(8000, f, amplitude)...))
			before := amplitudeAt(lineOf(law, line), f)
			wide := samples(decode(t, law, rate, bytes.Repeat(line, 3)))
			up = max(up, math.Abs(decibels(amplitudeAt(settled(wide), f)/before)))

			audio := encode(t, law, rate, bytes.Repeat(pcm(sine(rate, f, amplitude)...), 3))
			down = max(down, math.Abs(decibels(amplitudeAt(settled(lineOf(law, audio)), f)/amplitude)))
		}
		t.Logf("ripple: decoder %.4f dB, encoder %.4f dB", up, down)
		if up > 0.1 || down > 0.1 {
			t.Errorf("ripple: decoder %.3f dB, encoder %.3f dB, want less than 0.1", up, down)
		}
	})
}

func TestImagesAreRejected(t *testing.T) {
	for _, law := range laws {
		for _, rate := range rates[1:] {
			worst := -200.0
			for _, f := range []float64{61, 307, 997, 2003, 2999, 3203, 3391} {
				line := encode(t, law, 8000, pcm(sine(8000, f, amplitude)...))
				wide := settled(samples(decode(t, law, rate, bytes.Repeat(line, 3))))
				for _, image := range []float64{8000 - f, 8000 + f} {
					if image < float64(rate)/2 {
						worst = max(worst, decibels(amplitudeAt(wide, image)/amplitude))
					}
				}
			}
			t.Logf("%v to %d Hz: images at %.1f dB", law, rate, worst)
			if worst > -60 {
				t.Errorf("%v to %d Hz: images at %.1f dB, want less than -60", law, rate, worst)
			}
		}
	}
}

func TestAliasesAreRejected(t *testing.T) {
	for _, law := range laws {
		for _, rate := range rates[1:] {
			worst := -200.0
			for f := 4603.0; f < float64(rate)/2; f += 199 {
				audio := encode(t, law, rate, bytes.Repeat(pcm(sine(rate, f, amplitude)...), 3))
				alias := math.Abs(f - 8000*math.Round(f/8000))
				worst = max(worst, decibels(amplitudeAt(settled(lineOf(law, audio)), alias)/amplitude))
			}
			t.Logf("%v from %d Hz: aliases at %.1f dB", law, rate, worst)
			if worst > -60 {
				t.Errorf("%v from %d Hz: aliases at %.1f dB, want less than -60", law, rate, worst)
			}
		}
	}
}

// signalToNoise returns how far the difference of two streams lies below the
// first, in dB.
func signalToNoise(want, got []int16) float64 {
	var signal, noise float64
	for i, v := range want {
		d := float64(got[i]) - float64(v)
		signal += float64(v) * float64(v)
		noise += d * d
	}
	return 10 * math.Log10(signal/max(noise, 1e-9))
}

func TestRoundTrip(t *testing.T) {
	each(t, func(t *testing.T, law media.Codec, rate int) {
		for name, audio := range map[string][]byte{
			"speech": transcode.AppendLaw(nil, fixture(t), media.PCMU, law),
			"a tone": encode(t, law, 8000, pcm(sine(8000, 1009, amplitude)...)),
		} {
			back := encode(t, law, rate, decode(t, law, rate, audio))
			snr := signalToNoise(lineOf(law, audio), lineOf(law, back))
			t.Logf("%s: %.1f dB", name, snr)
			// Companding has left 38 dB to a loud tone; the round trip adds less.
			if want := map[bool]float64{true: 150, false: 40}[rate == 8000]; snr < want {
				t.Errorf("%s: %.1f dB after the round trip, want %v", name, snr, want)
			}
		}
	})
}
