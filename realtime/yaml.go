package realtime

import (
	"errors"
	"fmt"
	"math"
)

// UnmarshalYAML reads the properties with the decoder's own strictness. It sees
// to the one thing a pointer cannot tell: turn_detection: null is "none", its
// absence is the provider's default.
func (p *Properties) UnmarshalYAML(unmarshal func(any) error) error {
	type plain Properties
	if err := unmarshal((*plain)(p)); err != nil {
		return err
	}
	var members map[string]any
	if err := unmarshal(&members); err != nil {
		return err
	}
	if value, present := members["turn_detection"]; present && value == nil {
		p.TurnDetection = &TurnDetection{Type: NoDetection}
	}
	return nil
}

// UnmarshalYAML takes an object, a type alone, or false for none.
func (t *TurnDetection) UnmarshalYAML(unmarshal func(any) error) error {
	switch v := scalar(unmarshal).(type) {
	case bool:
		if v {
			return errors.New("turn_detection is an object, or false for none; true says too little")
		}
		*t = TurnDetection{Type: NoDetection}
		return nil
	case string:
		*t = TurnDetection{Type: v}
		return nil
	}
	type plain TurnDetection
	return unmarshal((*plain)(t))
}

// UnmarshalYAML takes an object, a model alone, or false for none.
func (t *Transcription) UnmarshalYAML(unmarshal func(any) error) error {
	switch v := scalar(unmarshal).(type) {
	case bool:
		if v {
			return errors.New("input_audio_transcription is an object with a model, or false for none; true says too little")
		}
		*t = Transcription{Model: NoDetection}
		return nil
	case string:
		*t = Transcription{Model: v}
		return nil
	}
	type plain Transcription
	return unmarshal((*plain)(t))
}

// UnmarshalYAML takes a number or inf.
func (m *MaxTokens) UnmarshalYAML(unmarshal func(any) error) error {
	var word any
	if err := unmarshal(&word); err != nil {
		return err
	}
	if word == "inf" || word == math.Inf(1) {
		*m = Inf
		return nil
	}
	var n int
	if err := unmarshal(&n); err != nil {
		return fmt.Errorf("max_response_output_tokens is a number from 1 to 4096, or inf: %w", err)
	}
	if n < 1 {
		// -1 would read as Inf.
		return fmt.Errorf("max_response_output_tokens is a number from 1 to 4096, or inf, not %d", n)
	}
	*m = MaxTokens(n)
	return nil
}

// UnmarshalYAML takes the word alone, or {effort: word}.
func (e *ReasoningEffort) UnmarshalYAML(unmarshal func(any) error) error {
	if v, ok := scalar(unmarshal).(string); ok {
		*e = ReasoningEffort(v)
		return nil
	}
	var object struct {
		Effort string `yaml:"effort"`
	}
	if err := unmarshal(&object); err != nil {
		return err
	}
	*e = ReasoningEffort(object.Effort)
	return nil
}

// UnmarshalYAML takes the word alone, or the object of the GA reference.
func (t *Truncation) UnmarshalYAML(unmarshal func(any) error) error {
	if v, ok := scalar(unmarshal).(string); ok {
		*t = Truncation{Type: v}
		return nil
	}
	var object struct {
		Type           string   `yaml:"type"`
		RetentionRatio *float64 `yaml:"retention_ratio"`
		TokenLimits    struct {
			PostInstructions *int `yaml:"post_instructions"`
		} `yaml:"token_limits"`
	}
	if err := unmarshal(&object); err != nil {
		return err
	}
	*t = Truncation{object.Type, object.RetentionRatio, object.TokenLimits.PostInstructions}
	return nil
}

// scalar returns the value if it is a bool or a string, else nil.
func scalar(unmarshal func(any) error) any {
	var v any
	if unmarshal(&v) != nil {
		return nil
	}
	switch v.(type) {
	case bool, string:
		return v
	}
	return nil
}
