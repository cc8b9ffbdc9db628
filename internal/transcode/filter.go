package transcode

import (
	"fmt"
	"math"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// reach is how far the filter sees to each side, in samples of 8 kHz. With it
// the window below falls from pass band to stop band within 1.2 kHz.
const reach = 14

// Lookahead is how much of the newest audio a converter between different
// rates withholds: the filter's reach into the future.
const Lookahead = reach * time.Second / media.SampleRate

// kaiserBeta is the window's shape: side lobes 65 dB down,
// 0.1102 × (65 - 8.7) by Kaiser's rule.
const kaiserBeta = 6.2

// unit is 1 in the fixed point of the coefficients.
const (
	unitBits = 20
	unit     = 1 << unitBits
)

// ratioOf returns how many samples of PCM there are to one of the line.
func ratioOf(rate int) (int, error) {
	switch rate {
	case 8000, 16000, 24000:
		return rate / media.SampleRate, nil
	}
	return 0, fmt.Errorf("transcode: a rate of %d Hz: 8000, 16000 and 24000 are supported", rate)
}

// wing returns the right half of the filter's impulse response at the rate of
// the PCM, index 0 being its centre. It is 1 there and 0 at every other multiple
// of ratio, where the line's other samples are. Every phase has a sum of 1, so
// that a constant stays one.
func wing(ratio int) []float64 {
	h := make([]float64, reach*ratio)
	for k := range h {
		t := float64(k) / float64(ratio)
		h[k] = sinc(t) * bessel(kaiserBeta*math.Sqrt(1-t*t/(reach*reach))) / bessel(kaiserBeta)
	}
	if ratio == 1 {
		return h // its centre alone
	}
	var beside float64 // half of the sum of every phase but the centre's
	for _, v := range h[1:] {
		beside += v
	}
	for k := range h[1:] {
		h[k+1] *= float64(ratio-1) / 2 / beside
	}
	return h
}

func sinc(t float64) float64 {
	if t == 0 {
		return 1
	}
	if t == math.Trunc(t) {
		return 0
	}
	return math.Sin(math.Pi*t) / (math.Pi * t)
}

// bessel is I0, the modified Bessel function of the first kind, by its series.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term*term > 1e-15*sum; k++ {
		term *= x / (2 * k)
		sum += term * term
	}
	return sum
}

// phase is the part of the filter's response that meets samples 8 kHz apart, in
// their order and in fixed point.
type phase [len(window{})]int32

// phaseOf returns the phase of h whose last coefficient before the centre lies
// p samples of PCM before it, p being between 0 and ratio, divided by gain.
func phaseOf(h []float64, ratio, p int, gain float64) (c phase) {
	for j := range reach {
		c[reach-1-j] = int32(math.Round(h[j*ratio+p] / gain * unit))
		c[reach+j] = int32(math.Round(h[(j+1)*ratio-p] / gain * unit))
	}
	return c
}

// dot returns the sum of the products, in fixed point.
func (c *phase) dot(w *window) (sum int64) {
	for i := 0; i < len(c); i += 4 {
		sum += int64(c[i])*int64(w[i]) + int64(c[i+1])*int64(w[i+1]) +
			int64(c[i+2])*int64(w[i+2]) + int64(c[i+3])*int64(w[i+3])
	}
	return sum
}

// sample returns what a sum in fixed point stands for, rounded and saturated.
func sample(sum int64) int16 {
	return int16(min(max((sum+unit/2)>>unitBits, math.MinInt16), math.MaxInt16))
}
