package realtimetest

import (
	"encoding/base64"
	"slices"
)

// Item is one entry of a conversation.
type Item struct {
	ID      string
	Type    string // message, function_call, function_call_output, …
	Role    string // of a message
	Status  string
	Content []Content // of a message

	CallID, Name, Arguments, Output string // of function calls and their outputs

	raw map[string]any // an item of a kind that this server only keeps
}

// Content is one part of a message. Type is its GA name: input_text,
// input_audio, input_image, output_text or output_audio.
type Content struct {
	Type  string
	Text  string // the text, or the transcript of the audio
	Audio []byte // not kept by a server that forgets

	format Format
	bytes  int    // of audio, kept or not
	image  string // URL
}

// milliseconds returns how long the part's audio sounds.
func (c *Content) milliseconds() int {
	if c.bytes == 0 {
		return 0
	}
	return c.bytes / c.format.BytesPerMS()
}

func (it *Item) snapshot() Item {
	c := *it
	c.Content = slices.Clone(it.Content)
	return c
}

// betaContent are the names of output content in the Beta dialect.
var betaContent = map[string]string{"output_text": "text", "output_audio": "audio"}

// render is the item on the wire. Audio is left out, as the service does
// everywhere but in conversation.item.retrieved.
func (it *Item) render(beta, audio bool) any {
	if it.raw != nil {
		return it.raw
	}
	o := object{{"id", it.ID}, {"object", "realtime.item"}, {"type", it.Type}, {"status", it.Status}}
	switch it.Type {
	case "function_call":
		return append(o, member{"call_id", it.CallID}, member{"name", it.Name}, member{"arguments", it.Arguments})
	case "function_call_output":
		return append(o, member{"call_id", it.CallID}, member{"output", it.Output})
	}
	content := make([]object, len(it.Content))
	for i := range it.Content {
		content[i] = it.Content[i].render(beta, audio)
	}
	return append(o, member{"role", it.Role}, member{"content", content})
}

func (c *Content) render(beta, audio bool) object {
	kind := c.Type
	if name, ok := betaContent[kind]; ok && beta {
		kind = name
	}
	o := object{{"type", kind}}
	switch c.Type {
	case "input_image":
		return append(o, member{"image_url", c.image})
	case "input_text", "output_text":
		return append(o, member{"text", c.Text})
	}
	o = append(o, member{"transcript", nullable(c.Text)})
	if audio && c.Audio != nil {
		if c.Type == "output_audio" {
			o[0].value = "audio" // as captured, in GA too
		}
		o = append(o, member{"audio", base64.StdEncoding.EncodeToString(c.Audio)}, member{"format", c.format.Beta()})
	}
	return o
}

// newItem makes an item of a client's valid JSON.
func newItem(m map[string]any, format Format) (*Item, *Error) {
	it := &Item{Status: "completed"}
	for name, p := range map[string]*string{
		"id": &it.ID, "type": &it.Type, "role": &it.Role, "call_id": &it.CallID, "name": &it.Name, "arguments": &it.Arguments, "output": &it.Output,
	} {
		*p, _ = m[name].(string)
	}
	switch it.Type {
	case "message":
	case "function_call", "function_call_output":
		return it, nil
	default:
		it.raw = m
		return it, nil
	}
	for _, v := range m["content"].([]any) {
		part := v.(map[string]any)
		c := Content{Type: part["type"].(string), format: format}
		if c.Type == "text" {
			c.Type = "output_text" // the Beta name
		}
		c.Text, _ = part["text"].(string)
		c.image, _ = part["image_url"].(string)
		if encoded, ok := part["audio"].(string); ok {
			audio, err := decodeAudio(encoded, format, "item.content")
			if err != nil {
				return nil, err
			}
			c.Audio, c.bytes = audio, len(audio)
			c.Text, _ = part["transcript"].(string)
		}
		it.Content = append(it.Content, c)
	}
	return it, nil
}
