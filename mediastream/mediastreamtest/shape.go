package mediastreamtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/gorilla/websocket"
)

// shape is what one message of a gateway must look like: its members and their
// values, of which $audio and $name stand for any audio and any name, and $stream
// for the stream's id. Nothing may be missing and nothing added.
type shape struct {
	event string
	like  string // JSON
}

// readShape reads a text message that must have one of shapes.
func readShape(c *Call, kind int, text []byte, shapes ...shape) (order, error) {
	if kind != websocket.TextMessage {
		return order{}, fmt.Errorf("binary frame of %d bytes", len(text))
	}
	var got any
	if err := json.Unmarshal(text, &got); err != nil {
		return order{}, fmt.Errorf("not JSON: %w: %.200s", err, text)
	}
	for _, s := range shapes {
		var want any
		if err := json.Unmarshal([]byte(s.like), &want); err != nil {
			return order{}, fmt.Errorf("mediastreamtest: shape: %w", err)
		}
		o := order{event: s.event}
		if o.matches(c, got, want) {
			return o, nil
		}
	}
	return order{}, fmt.Errorf("unknown message: %.200s", text)
}

// matches compares a value with one of a shape, and takes audio and name from it.
func (o *order) matches(c *Call, got, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok || len(object) != len(want) {
			return false
		}
		for name := range want {
			value, ok := object[name]
			if !ok || !o.matches(c, value, want[name]) {
				return false
			}
		}
		return true
	case string:
		value, ok := got.(string)
		switch want {
		case "$audio":
			var err error
			o.audio, err = base64.StdEncoding.Strict().DecodeString(value)
			return ok && err == nil && len(o.audio) > 0
		case "$name":
			o.mark = value
			return ok && value != ""
		case "$stream":
			return value == c.stream
		}
	}
	return reflect.DeepEqual(got, want)
}
