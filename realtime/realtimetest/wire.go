package realtimetest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"strconv"
)

// object is a JSON object that keeps the order of its members, so that what
// this server sends looks like what the service sends: type first.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.WriteString(strconv.Quote(m.name))
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// event begins a server event. Session.send adds its event_id.
func event(name string, members ...member) object {
	return append(object{{"type", name}}, members...)
}

// typeOf returns the type that an event carries.
func typeOf(o object) string { return o[0].value.(string) }

// appendDelta appends an audio delta: by far the most frequent event, so it is
// written by hand.
func appendDelta(b []byte, eventType, eventID string, at contentRef, audio []byte) []byte {
	b = append(b, `{"type":"`...)
	b = append(b, eventType...)
	b = append(b, `","event_id":"`...)
	b = append(b, eventID...)
	b = append(b, `","response_id":"`...)
	b = append(b, at.response...)
	b = append(b, `","item_id":"`...)
	b = append(b, at.item...)
	b = append(b, `","output_index":`...)
	b = strconv.AppendInt(b, int64(at.output), 10)
	b = append(b, `,"content_index":0,"delta":"`...)
	b = base64.StdEncoding.AppendEncode(b, audio)
	return append(b, `"}`...)
}

// contentRef names a content part of a response. This server puts one part in
// each item, so the content index is always 0.
type contentRef struct {
	response, item string
	output         int
}

func (c contentRef) members() []member {
	return []member{{"response_id", c.response}, {"item_id", c.item}, {"output_index", c.output}, {"content_index", 0}}
}

// idAlphabet and the lengths below are those of the service's own ids.
const idAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// newID returns an id such as item_CCXGRvtUVrax5SJAnNOWZ.
func newID(rng *rand.Rand, kind string) string {
	n := 21
	if kind == "call" {
		n = 16
	}
	b := make([]byte, 0, len(kind)+1+n)
	b = append(b, kind...)
	b = append(b, '_')
	for range n {
		b = append(b, idAlphabet[rng.IntN(len(idAlphabet))])
	}
	return string(b)
}
