package interop_test

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge/media"
)

// mostly is how much of what is heard must be the other side's tone: on a busy machine
// some of it comes too late.
const mostly = 0.75

// tone returns d of a sine in µ-law, loud.
func tone(hertz float64, d time.Duration) []byte {
	p := make([]byte, media.Bytes(d))
	for i := range p {
		p[i] = g711.EncodeUlawFrame(int16(12000 * math.Sin(2*math.Pi*hertz*float64(i)/media.SampleRate)))
	}
	return p
}

// share returns how much of the power of ulaw is at that frequency, 0 to 1, by
// Goertzel's algorithm over blocks of 100 ms.
func share(ulaw []byte, hertz float64) float64 {
	const block = media.SampleRate / 10
	var at, all float64
	for len(ulaw) >= block {
		coefficient := 2 * math.Cos(2*math.Pi*hertz/media.SampleRate)
		var s1, s2, power float64
		for _, c := range ulaw[:block] {
			x := float64(g711.DecodeUlawFrame(c))
			s1, s2 = x+coefficient*s1-s2, s1
			power += x * x
		}
		at += 2 * (s1*s1 + s2*s2 - coefficient*s1*s2) / block
		all += power
		ulaw = ulaw[block:]
	}
	if all == 0 {
		return 0
	}
	return at / all
}

// linearWAV returns ulaw as a WAV file of 16-bit samples, which is all that
// baresip reads.
func linearWAV(ulaw []byte) []byte {
	le := binary.LittleEndian
	data := make([]byte, 0, 2*len(ulaw))
	for _, c := range ulaw {
		data = le.AppendUint16(data, uint16(g711.DecodeUlawFrame(c)))
	}
	h := append([]byte(nil), "RIFF"...)
	h = le.AppendUint32(h, uint32(36+len(data)))
	h = append(h, "WAVEfmt "...)
	h = le.AppendUint32(h, 16)
	h = le.AppendUint16(h, 1) // PCM
	h = le.AppendUint16(h, 1)
	h = le.AppendUint32(h, media.SampleRate)
	h = le.AppendUint32(h, 2*media.SampleRate)
	h = le.AppendUint16(h, 2)
	h = le.AppendUint16(h, 16)
	h = append(h, "data"...)
	h = le.AppendUint32(h, uint32(len(data)))
	return append(h, data...)
}
