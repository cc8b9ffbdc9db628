package mediastream

import (
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/transcode"
)

// encoding is that of audio in binary frames.
type encoding uint8

const (
	noBinary encoding = iota // audio comes as base64
	binaryUlaw
	binaryL16 // 16-bit little-endian PCM at 8 kHz
)

// width returns how many bytes one sample has.
func (e encoding) width() int {
	if e == binaryL16 {
		return 2
	}
	return 1
}

// coder converts between the leg's µ-law and a carrier's encoding: by a table,
// as both have 8000 samples a second. Without one, audio passes untouched.
type coder struct {
	in  *transcode.Encoder
	out *transcode.Decoder
}

func newCoder(e encoding) coder {
	if e != binaryL16 {
		return coder{}
	}
	// The only errors are about rates, and this one is known.
	in, _ := transcode.NewEncoder(media.PCMU, media.SampleRate)
	out, _ := transcode.NewDecoder(media.PCMU, media.SampleRate)
	return coder{in, out}
}

// appendIn appends a carrier's audio as µ-law.
func (c coder) appendIn(b, audio []byte) []byte {
	if c.in == nil {
		return append(b, audio...)
	}
	return c.in.Append(b, audio)
}

// appendOut appends µ-law as the carrier's audio.
func (c coder) appendOut(b, audio []byte) []byte {
	if c.out == nil {
		return append(b, audio...)
	}
	return c.out.Append(b, audio)
}
