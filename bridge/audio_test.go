package bridge_test

import "github.com/zaf/g711"

// attenuated returns µ-law audio 18 dB quieter.
func attenuated(ulaw []byte) []byte {
	out := make([]byte, len(ulaw))
	for i, b := range ulaw {
		out[i] = g711.EncodeUlawFrame(g711.DecodeUlawFrame(b) / 8)
	}
	return out
}
