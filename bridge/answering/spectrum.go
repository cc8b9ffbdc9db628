package answering

import (
	"math"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge/media"
)

// linear holds, for each law and each byte, its linear value.
var linear = [2][256]float64{
	media.PCMU: table(g711.DecodeUlawFrame),
	media.PCMA: table(g711.DecodeAlawFrame),
}

func table(decode func(uint8) int16) (t [256]float64) {
	for i := range t {
		t[i] = float64(decode(uint8(i)))
	}
	return t
}

// spectrum looks for a single tone in the last two frames: 40 ms keep the two
// tones of American ringing apart, whose sum has but one frequency in 20 ms.
type spectrum struct {
	linear *[256]float64
	window [2 * media.FrameBytes]float64
}

// pure is the share of a window's energy at one frequency that makes it a tone: a
// signal 8 dB above all else. Neither of two equal tones has it.
const pure = 0.86

// frame takes the next frame and returns the frequency, in Hz, of the single tone
// that the window consists of, 0 if it does not.
func (s *spectrum) frame(p []byte) float64 {
	copy(s.window[:], s.window[media.FrameBytes:])
	for i, b := range p {
		s.window[media.FrameBytes+i] = s.linear[b]
	}
	w, energy, ok := s.estimate()
	if !ok || s.at(w) < pure*energy {
		return 0
	}
	return w * media.SampleRate / (2 * math.Pi)
}

// estimate returns the frequency of the sine that fits the window best, in
// radians a sample, and the window's energy.
//
// Of a sine, x[n] + x[n-2] = 2 cos(w) x[n-1]. Noise disturbs both sides, so the
// slope is that of the total least squares; the left side's noise is that of two
// samples, for which it is divided by the root of 2.
func (s *spectrum) estimate() (w, energy float64, ok bool) {
	x := &s.window
	var zz, yy, zy float64
	for n := 2; n < len(x); n++ {
		y, z := x[n]+x[n-2], x[n-1]
		zz += z * z
		yy += y * y
		zy += z * y
	}
	yy /= 2
	zy /= math.Sqrt2
	d := zz - yy
	cos := math.Sqrt2 * zy / (d + math.Sqrt(d*d+4*zy*zy))
	if !(-1 < cos && cos < 1) { // no number: silence
		return 0, 0, false
	}
	return math.Acos(cos), zz + x[0]*x[0] + x[len(x)-1]*x[len(x)-1], true
}

// at returns the energy of the sine of a frequency, by Goertzel's algorithm.
func (s *spectrum) at(w float64) float64 {
	c := 2 * math.Cos(w)
	var s1, s2 float64
	for _, v := range s.window {
		s1, s2 = v+c*s1-s2, s1
	}
	return 2 * (s1*s1 + s2*s2 - c*s1*s2) / float64(len(s.window))
}
