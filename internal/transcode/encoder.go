package transcode

import (
	"encoding/binary"

	"github.com/callgw/callgw/bridge/media"
)

// Encoder turns a stream of 16-bit little-endian PCM into G.711. Chunks may end
// anywhere, in the middle of a sample too.
type Encoder struct {
	compress func(int16) uint8
	ratio    int
	// The PCM is dealt out, sample by sample, to as many lines as ratio, so that
	// each line holds samples 8 kHz apart. Those of the first are kept, those of
	// the others go through their phase and are added.
	lines  []line
	beside []phase // of all lines but the first
	centre int64   // of the first

	pending [6]byte // a group of ratio samples that is not complete
	n       int     // how many bytes of it are there
}

// NewEncoder returns an encoder to law of PCM of rate samples per second: 8000,
// 16000 or 24000.
func NewEncoder(law media.Codec, rate int) (*Encoder, error) {
	ratio, err := ratioOf(rate)
	if err != nil {
		return nil, err
	}
	e := &Encoder{
		compress: compression(law),
		ratio:    ratio,
		lines:    make([]line, ratio),
		centre:   int64(unit / ratio),
	}
	h := wing(ratio)
	for p := 1; p < ratio; p++ {
		e.beside = append(e.beside, phaseOf(h, ratio, ratio-p, float64(ratio)))
	}
	e.Reset()
	return e, nil
}

// Append appends to dst the G.711 of pcm, the stream's next bytes, but for the
// [Lookahead]: one byte for each ratio samples once the filter is filled.
func (e *Encoder) Append(dst, pcm []byte) []byte {
	group := 2 * e.ratio
	if e.n > 0 {
		n := copy(e.pending[e.n:group], pcm)
		e.n += n
		pcm = pcm[n:]
		if e.n < group {
			return dst
		}
		dst = e.groups(dst, e.pending[:group])
	}
	whole := len(pcm) - len(pcm)%group
	dst = e.groups(dst, pcm[:whole])
	e.n = copy(e.pending[:], pcm[whole:])
	return dst
}

// Flush ends the stream: it appends what Append withheld, drops half a sample
// if there is one, and the encoder is as new.
func (e *Encoder) Flush(dst []byte) []byte {
	if samples := e.n / 2; samples > 0 {
		clear(e.pending[2*samples:])
		dst = e.groups(dst, e.pending[:2*e.ratio])
	}
	if e.ratio > 1 {
		for i := range e.lines {
			clear(e.lines[i].room()[:reach-1])
			e.lines[i].n += reach - 1
		}
		dst = e.filter(dst)
	}
	e.Reset()
	return dst
}

// Reset drops what Append withheld, and the encoder is as new.
func (e *Encoder) Reset() {
	e.n = 0
	for i := range e.lines {
		e.lines[i].reset(reach)
	}
}

// groups takes whole groups of ratio samples.
func (e *Encoder) groups(dst, pcm []byte) []byte {
	if e.ratio == 1 {
		for ; len(pcm) > 0; pcm = pcm[2:] {
			dst = append(dst, e.compress(sampleAt(pcm)))
		}
		return dst
	}
	group := 2 * e.ratio
	for len(pcm) > 0 {
		n := min(len(e.lines[0].room()), len(pcm)/group)
		for p := range e.lines {
			room := e.lines[p].room()[:n]
			for i := range room {
				room[i] = sampleAt(pcm[i*group+2*p:])
			}
			e.lines[p].n += n
		}
		pcm = pcm[n*group:]
		dst = e.filter(dst)
	}
	return dst
}

// filter appends the G.711 of every group whose window is complete.
func (e *Encoder) filter(dst []byte) []byte {
	n := e.lines[0].windows()
	for i := range n {
		sum := e.centre * int64(e.lines[0].window(i)[reach])
		for p := range e.beside {
			sum += e.beside[p].dot(e.lines[p+1].window(i))
		}
		dst = append(dst, e.compress(sample(sum)))
	}
	for p := range e.lines {
		e.lines[p].drop(n)
	}
	return dst
}

func sampleAt(pcm []byte) int16 { return int16(binary.LittleEndian.Uint16(pcm)) }
