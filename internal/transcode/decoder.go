package transcode

import (
	"encoding/binary"

	"github.com/callgw/callgw/bridge/media"
)

// Decoder turns a stream of G.711 into 16-bit little-endian PCM.
type Decoder struct {
	linear  [256]int16
	between []phase // of the samples between the line's own, in their order; none at 8 kHz
	line    line
}

// NewDecoder returns a decoder of law to PCM of rate samples per second: 8000,
// 16000 or 24000.
func NewDecoder(law media.Codec, rate int) (*Decoder, error) {
	ratio, err := ratioOf(rate)
	if err != nil {
		return nil, err
	}
	d := &Decoder{linear: expansion(law)}
	h := wing(ratio)
	for p := 1; p < ratio; p++ {
		d.between = append(d.between, phaseOf(h, ratio, p, 1))
	}
	d.Reset()
	return d, nil
}

// Append appends to dst the PCM of g711, the stream's next bytes, but for the
// [Lookahead]: 2×ratio bytes for each byte once the filter is filled.
func (d *Decoder) Append(dst, g711 []byte) []byte {
	if len(d.between) == 0 {
		for _, b := range g711 {
			dst = appendSample(dst, d.linear[b])
		}
		return dst
	}
	for len(g711) > 0 {
		room := d.line.room()
		n := min(len(room), len(g711))
		for i, b := range g711[:n] {
			room[i] = d.linear[b]
		}
		d.line.n += n
		g711 = g711[n:]
		dst = d.filter(dst)
	}
	return dst
}

// Flush ends the stream: it appends what Append withheld, and the decoder is as
// new.
func (d *Decoder) Flush(dst []byte) []byte {
	if len(d.between) == 0 {
		return dst
	}
	clear(d.line.room()[:reach])
	d.line.n += reach
	dst = d.filter(dst)
	d.Reset()
	return dst
}

// Reset drops what Append withheld, and the decoder is as new.
func (d *Decoder) Reset() { d.line.reset(reach - 1) }

// filter appends the PCM of every sample whose window is complete.
func (d *Decoder) filter(dst []byte) []byte {
	n := d.line.windows()
	for i := range n {
		w := d.line.window(i)
		dst = appendSample(dst, w[reach-1])
		for p := range d.between {
			dst = appendSample(dst, sample(d.between[p].dot(w)))
		}
	}
	d.line.drop(n)
	return dst
}

func appendSample(dst []byte, v int16) []byte {
	return binary.LittleEndian.AppendUint16(dst, uint16(v))
}
