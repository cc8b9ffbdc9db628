package answering_test

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/test/fixtures"
)

// signal is linear audio at 8 kHz, 1 being full scale.
type signal []float64

// then returns signals one after the other.
func then(parts ...signal) signal {
	var all signal
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// with returns signals at the same time.
func with(parts ...signal) signal {
	var all signal
	for _, p := range parts {
		for len(all) < len(p) {
			all = append(all, 0)
		}
		for i, v := range p {
			all[i] += v
		}
	}
	return all
}

func times(n int, s signal) signal {
	var all signal
	for range n {
		all = append(all, s...)
	}
	return all
}

func samples(d time.Duration) int { return int(media.Bytes(d)) }

func silence(d time.Duration) signal { return make(signal, samples(d)) }

// amplitude of a sine of so many dBFS.
func amplitude(db float64) float64 { return math.Sqrt2 * math.Pow(10, db/20) }

// tone is a sine.
func tone(hz, db float64, d time.Duration) signal {
	s := make(signal, samples(d))
	for i := range s {
		s[i] = amplitude(db) * math.Sin(2*math.Pi*hz*float64(i)/media.SampleRate)
	}
	return s
}

// tones are sines at the same time, each of that level.
func tones(db float64, d time.Duration, hz ...float64) signal {
	var all signal
	for _, f := range hz {
		all = with(all, tone(f, db, d))
	}
	return all
}

// noise is white.
func noise(db float64, d time.Duration) signal {
	random := rand.New(rand.NewPCG(1, 2))
	s := make(signal, samples(d))
	for i := range s {
		s[i] = math.Pow(10, db/20) * random.NormFloat64()
	}
	return s
}

// said is a recording of a voice, from test/fixtures.
func said(ulaw []byte) signal {
	s := make(signal, len(ulaw))
	for i, b := range ulaw {
		s[i] = float64(g711.DecodeUlawFrame(b)) / 32768
	}
	return s
}

var (
	hello = said(fixtures.CallerHello)
	stop  = said(fixtures.CallerInterrupt)
)

// greeting is a voice that speaks for at least d.
func greeting(d time.Duration) signal {
	var s signal
	for len(s) < samples(d) {
		s = then(s, hello, silence(300*time.Millisecond), stop, silence(200*time.Millisecond))
	}
	return s
}

// melody is music of single, pure notes.
func melody(d time.Duration) signal {
	var s signal
	for i := 0; len(s) < samples(d); i++ {
		hz := 440 * math.Pow(2, float64([...]int{0, 4, 7, 12, 7, 4}[i%6])/12)
		note := tone(hz, -20, 250*time.Millisecond)
		for k := range note {
			note[k] *= math.Exp(-3 * float64(k) / float64(len(note)))
		}
		s = append(s, note...)
	}
	return s
}

// encode returns a signal in a law.
func encode(c media.Codec, s signal) []byte {
	p := make([]byte, len(s))
	for i, v := range s {
		sample := int16(32767 * max(-1, min(1, v)))
		if c == media.PCMA {
			p[i] = g711.EncodeAlawFrame(sample)
		} else {
			p[i] = g711.EncodeUlawFrame(sample)
		}
	}
	return p
}
