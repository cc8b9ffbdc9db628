package realtime

import (
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/callgw/callgw/internal/jsonscan"
)

// isAudioDelta recognises the one event that comes for every piece of audio, in
// either family of names.
func isAudioDelta(kind []byte) bool {
	return string(kind) == "response.output_audio.delta" || string(kind) == "response.audio.delta"
}

// decodeDelta reads msg, an audio delta. What it returns is borrowed: the names
// from msg, the audio from the buffer.
func decodeDelta(msg []byte, into *buffer) (AudioDelta, error) {
	var (
		delta   AudioDelta
		encoded []byte
		s       jsonscan.Scanner
	)
	s.Reset(msg)
	for s.Next() {
		switch string(s.Key()) {
		case "response_id":
			delta.ResponseID = s.Bytes()
		case "item_id":
			delta.ItemID = s.Bytes()
		case "content_index":
			delta.ContentIndex = int(s.Int())
		case "delta":
			encoded = s.Bytes()
		}
	}
	if s.Err() != nil {
		// Escapes are rare but legal: some servers write "\/".
		var slow struct {
			ResponseID   string `json:"response_id"`
			ItemID       string `json:"item_id"`
			ContentIndex int    `json:"content_index"`
			Delta        string `json:"delta"`
		}
		if err := json.Unmarshal(msg, &slow); err != nil {
			return AudioDelta{}, err
		}
		delta = AudioDelta{
			ResponseID:   []byte(slow.ResponseID),
			ItemID:       []byte(slow.ItemID),
			ContentIndex: slow.ContentIndex,
		}
		encoded = []byte(slow.Delta)
	}
	into.bytes = slices.Grow(into.bytes[:0], base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Decode(into.bytes[:cap(into.bytes)], encoded)
	if err != nil {
		return AudioDelta{}, err
	}
	delta.Audio = into.bytes[:n:n]
	return delta, nil
}
