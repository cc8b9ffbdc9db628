package mediastreamtest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/gorilla/websocket"
)

// order is what the gateway asks for by a message.
type order struct {
	event   string // media, mark or clear; status, pause, continue, hangup, transfer
	framed  bool   // the carrier knows whole frames only
	audio   []byte
	mark    string  // or the id of a transfer
	dialled Dialled // of a transfer
}

// readOrder reads a message from the gateway. Twilio's documentation allows
// these three shapes with exactly these members; anything else is its warning
// 31950 (binary or undecodable) or 31951 (invalid for this stream).
func readOrder(kind int, text []byte, stream string) (order, error) {
	if kind != websocket.TextMessage {
		return order{}, fmt.Errorf("31950: binary frame of %d bytes", len(text))
	}
	var m struct {
		Event     string
		StreamSid string
		Media     *struct{ Payload string }
		Mark      *struct{ Name string }
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return order{}, fmt.Errorf("31951: %w: %.200s", err, text)
	}
	if m.StreamSid != stream {
		return order{}, fmt.Errorf("31951: streamSid %q, not %q", m.StreamSid, stream)
	}
	switch {
	case m.Event == "media" && m.Media != nil && m.Mark == nil:
		audio, err := base64.StdEncoding.Strict().DecodeString(m.Media.Payload)
		if err != nil || len(audio) == 0 {
			return order{}, fmt.Errorf("31951: payload %.40q: not base64 of audio", m.Media.Payload)
		}
		return order{event: "media", audio: audio}, nil
	case m.Event == "mark" && m.Mark != nil && m.Media == nil:
		if m.Mark.Name == "" {
			return order{}, fmt.Errorf("31951: mark without a name")
		}
		return order{event: "mark", mark: m.Mark.Name}, nil
	case m.Event == "clear" && m.Media == nil && m.Mark == nil:
		return order{event: "clear"}, nil
	}
	return order{}, fmt.Errorf("31951: not a media, mark or clear message: %.200s", text)
}
