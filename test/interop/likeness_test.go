package interop_test

import (
	"math"
	"slices"
	"time"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge/media"
)

// toneLevel is how loud tone is, in dB of full scale.
var toneLevel = 20 * math.Log10(12000/math.Sqrt2/32768)

// alike is how much audio resembles itself that was resampled on its way, by which
// its samples have come to lie between those of the original.
const alike = 0.8

// last returns the end of audio.
func last(ulaw []byte, d time.Duration) []byte {
	return ulaw[max(0, len(ulaw)-int(media.Bytes(d))):]
}

// loudness returns how loud a tone is, in dB of full scale: the median of the blocks
// of 100 ms that contain nothing else, and how many those are.
func loudness(ulaw []byte, hertz float64) (level float64, blocks int) {
	var levels []float64
	for block := range slices.Chunk(ulaw, media.SampleRate/10) {
		if len(block) == media.SampleRate/10 && share(block, hertz) > 0.98 {
			levels = append(levels, 10*math.Log10(power(linear(block))/float64(len(block))))
		}
	}
	if levels == nil {
		return math.Inf(-1), 0
	}
	slices.Sort(levels)
	return levels[len(levels)/2], len(levels)
}

// resemblance returns how much of a recording is found in what was heard, 0 to 1:
// the median correlation of its windows of 100 ms that are not silent, each
// where it fits best near where the loudest does.
func resemblance(heard, recording []byte) float64 {
	const window, near = media.SampleRate / 10, media.SampleRate / 20
	x, y := linear(heard), linear(recording)
	loudest, most := 0, 0.0
	for at := 0; at+window <= len(y); at += window {
		if p := power(y[at : at+window]); p > most {
			loudest, most = at, p
		}
	}
	lag, _ := fit(x, y[loudest:loudest+window], 0, len(x))
	lag -= loudest
	var all []float64
	for at := 0; at+window <= len(y); at += window {
		if part := y[at : at+window]; power(part) > most/100 {
			_, r := fit(x, part, lag+at-near, lag+at+near)
			all = append(all, r)
		}
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// fit returns where from from to to part is most like x, and how much.
func fit(x, part []float64, from, to int) (at int, r float64) {
	whole := power(part)
	for i := max(from, 0); i < min(to, len(x)-len(part)); i++ {
		product := 0.0
		for n, v := range part {
			product += v * x[i+n]
		}
		if product <= 0 {
			continue
		}
		if c := product / math.Sqrt(whole*power(x[i:i+len(part)])); c > r {
			at, r = i, c
		}
	}
	return at, r
}

// linear returns audio as samples from -1 to 1.
func linear(ulaw []byte) []float64 {
	samples := make([]float64, len(ulaw))
	for i, c := range ulaw {
		samples[i] = float64(g711.DecodeUlawFrame(c)) / 32768
	}
	return samples
}

// power returns the sum of the squares.
func power(samples []float64) (sum float64) {
	for _, v := range samples {
		sum += v * v
	}
	return sum
}

// telephone returns what was played, which has no frequencies above telephony's, at
// telephony's rate.
func telephone(samples []int16, rate float64) []byte {
	var ulaw []byte
	for t := 0.0; int(t)+1 < len(samples); t += rate / media.SampleRate {
		i, between := int(t), t-math.Floor(t)
		ulaw = append(ulaw, g711.EncodeUlawFrame(int16((1-between)*float64(samples[i])+between*float64(samples[i+1]))))
	}
	return ulaw
}
