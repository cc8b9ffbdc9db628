package transcode

import (
	"github.com/callgw/callgw/bridge/media"
	"github.com/zaf/g711"
)

// AppendLaw appends G.711 of one law to dst as G.711 of another, byte for byte by
// tables 3 and 4 of ITU-T G.711, without PCM in between. Audio that has the law
// already is appended as it is.
func AppendLaw(dst, src []byte, from, to media.Codec) []byte {
	if from == to {
		return append(dst, src...)
	}
	recode := g711.Ulaw2AlawFrame
	if from == media.PCMA {
		recode = g711.Alaw2UlawFrame
	}
	for _, b := range src {
		dst = append(dst, recode(b))
	}
	return dst
}

// expansion returns the linear value of every byte of a law.
func expansion(law media.Codec) (linear [256]int16) {
	expand := g711.DecodeUlawFrame
	if law == media.PCMA {
		expand = g711.DecodeAlawFrame
	}
	for b := range linear {
		linear[b] = expand(byte(b))
	}
	return linear
}

// compression returns the function that finds the byte nearest to a sample.
func compression(law media.Codec) func(int16) uint8 {
	if law == media.PCMA {
		return g711.EncodeAlawFrame
	}
	return g711.EncodeUlawFrame
}
