package realtime

import (
	"encoding/json"
	"fmt"
)

// EffectiveSession is what the server says the session is.
type EffectiveSession struct {
	ID        string
	Model     string
	ExpiresAt int64       // Unix seconds, 0 if unknown
	Input     AudioFormat // empty if the server does not say; its own name if it is none of ours
	Output    AudioFormat
	Raw       json.RawMessage // the session member as sent
}

// effective reads a session of either shape. Servers decide what they echo, so
// whatever cannot be read is left empty.
func effective(raw json.RawMessage) EffectiveSession {
	var s struct {
		ID        string          `json:"id"`
		Model     string          `json:"model"`
		ExpiresAt float64         `json:"expires_at"`
		FlatIn    json.RawMessage `json:"input_audio_format"`
		FlatOut   json.RawMessage `json:"output_audio_format"`
		Audio     struct {
			Input, Output struct {
				Format json.RawMessage `json:"format"`
			}
		} `json:"audio"`
	}
	_ = json.Unmarshal(raw, &s) // a member of another type leaves the others readable
	e := EffectiveSession{ID: s.ID, Model: s.Model, ExpiresAt: int64(s.ExpiresAt), Raw: raw}
	if e.Input = echoedFormat(s.Audio.Input.Format); e.Input == "" {
		e.Input = echoedFormat(s.FlatIn)
	}
	if e.Output = echoedFormat(s.Audio.Output.Format); e.Output == "" {
		e.Output = echoedFormat(s.FlatOut)
	}
	return e
}

// echoedFormat reads a format in its flat or in its nested form. PCM of another
// rate than ours is another format.
func echoedFormat(raw json.RawMessage) AudioFormat {
	var name string
	var nested struct {
		Type string `json:"type"`
		Rate int    `json:"rate"`
	}
	if json.Unmarshal(raw, &name) != nil {
		if json.Unmarshal(raw, &nested) != nil {
			return ""
		}
		name = nested.Type
	}
	known, rate := AudioFormat(name), 24000
	switch name {
	case "audio/pcmu":
		known, rate = FormatULaw, 8000
	case "audio/pcma":
		known, rate = FormatALaw, 8000
	case "audio/pcm":
		known = FormatPCM16
	}
	if nested.Rate != 0 && nested.Rate != rate {
		return AudioFormat(fmt.Sprintf("%s at %d Hz", name, nested.Rate))
	}
	return known
}
