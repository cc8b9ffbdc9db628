package sip

import (
	"math"
	"time"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge/media"
)

// How ringing sounds (ITU-T E.180): 440 and 480 Hz, 2 s in every 6.
const (
	ringCycle = 6 * time.Second
	ringOn    = 2 * time.Second
	ringLevel = 3000 // of 32767, each of the two tones: -21 dBFS
	ringWave  = 200  // samples after which both tones are where they began
)

// ringback is the ringing tone that a caller hears before the answer.
type ringback struct {
	wave  [ringWave]byte
	quiet byte
	law   media.Codec
	at    int64 // in the cycle
}

var _ media.Downlink = (*ringback)(nil)

func newRingback(codec media.Codec) *ringback {
	encode := g711.EncodeUlawFrame
	if codec == media.PCMA {
		encode = g711.EncodeAlawFrame
	}
	r := &ringback{quiet: codec.Silence(), law: codec}
	for i := range r.wave {
		t := 2 * math.Pi * float64(i) / media.SampleRate
		r.wave[i] = encode(int16(ringLevel * (math.Sin(440*t) + math.Sin(480*t))))
	}
	return r
}

func (r *ringback) Next(p []byte) int {
	for i := range p {
		p[i] = r.quiet
		if r.at < media.Bytes(ringOn) {
			p[i] = r.wave[r.at%ringWave]
		}
		r.at = (r.at + 1) % media.Bytes(ringCycle)
	}
	return len(p)
}

func (r *ringback) Ready() <-chan struct{} { return nil }
func (r *ringback) Heard(int64)            {}
