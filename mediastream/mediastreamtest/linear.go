package mediastreamtest

import (
	"encoding/binary"
	"fmt"

	"github.com/zaf/g711"
)

// toLinear returns µ-law as 16-bit little-endian PCM.
func toLinear(ulaw []byte) []byte {
	pcm := make([]byte, 0, 2*len(ulaw))
	for _, b := range ulaw {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(g711.DecodeUlawFrame(b)))
	}
	return pcm
}

// fromLinear returns PCM that stems from µ-law as µ-law; it must be no further
// from the table than one step.
func fromLinear(pcm []byte) ([]byte, error) {
	if len(pcm)%2 != 0 {
		return nil, fmt.Errorf("half a sample: %d bytes", len(pcm))
	}
	ulaw := make([]byte, 0, len(pcm)/2)
	for ; len(pcm) > 0; pcm = pcm[2:] {
		sample := int16(binary.LittleEndian.Uint16(pcm))
		b := g711.EncodeUlawFrame(sample)
		if off := int(sample) - int(g711.DecodeUlawFrame(b)); off < -1 || off > 1 {
			return nil, fmt.Errorf("sample %d is not of G.711", sample)
		}
		ulaw = append(ulaw, b)
	}
	return ulaw, nil
}
