package wav

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Write writes µ-law audio as a mono WAV file at 8 kHz.
func Write(w io.Writer, ulaw []byte) error {
	le := binary.LittleEndian
	h := make([]byte, 0, 58)
	h = append(h, "RIFF"...)
	h = le.AppendUint32(h, uint32(50+len(ulaw)+len(ulaw)&1))
	h = append(h, "WAVEfmt "...)
	h = le.AppendUint32(h, 18) // a non-PCM format chunk has an extension size
	h = le.AppendUint16(h, formatMuLaw)
	h = le.AppendUint16(h, 1)
	h = le.AppendUint32(h, 8000)
	h = le.AppendUint32(h, 8000)
	h = le.AppendUint16(h, 1)
	h = le.AppendUint16(h, 8)
	h = le.AppendUint16(h, 0)
	h = append(h, "fact"...) // required of every non-PCM format
	h = le.AppendUint32(h, 4)
	h = le.AppendUint32(h, uint32(len(ulaw)))
	h = append(h, "data"...)
	h = le.AppendUint32(h, uint32(len(ulaw)))
	for _, p := range [][]byte{h, ulaw, make([]byte, len(ulaw)&1)} {
		if _, err := w.Write(p); err != nil {
			return fmt.Errorf("wav: %w", err)
		}
	}
	return nil
}
