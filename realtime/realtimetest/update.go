package realtimetest

import (
	"encoding/json"
	"maps"
	"reflect"
	"time"
)

// updateGA returns the settings that a valid session.update makes of s. Only
// members that are present change; an error leaves everything as it was.
func (s Settings) updateGA(session map[string]any, hasSpoken bool) (Settings, *Error) {
	s.echoed = maps.Clone(s.echoed)
	if kind := session["type"]; (kind == "transcription") != s.Transcription {
		return s, errValue("session.type", "Cannot update a session's type.")
	}
	if err := s.keepModel(session); err != nil {
		return s, err
	}
	audio, _ := session["audio"].(map[string]any)
	if input, ok := audio["input"].(map[string]any); ok {
		if f, ok := input["format"].(map[string]any); ok {
			s.Input = Format(f["type"].(string))
		}
		s.updateInput(input, "transcription", "noise_reduction")
	}
	if output, ok := audio["output"].(map[string]any); ok {
		if f, ok := output["format"].(map[string]any); ok {
			s.Output = Format(f["type"].(string))
		}
		if err := s.updateVoice(output, "session.audio.output.voice", hasSpoken); err != nil {
			return s, err
		}
	}
	if m, ok := session["output_modalities"].([]any); ok {
		s.Text = contains(m, "text")
	}
	return s, s.updateCommon(session, "max_output_tokens")
}

// updateBeta is updateGA for the flat session.
func (s Settings) updateBeta(session map[string]any, hasSpoken bool) (Settings, *Error) {
	s.echoed = maps.Clone(s.echoed)
	if err := s.keepModel(session); err != nil {
		return s, err
	}
	if f, ok := session["input_audio_format"].(string); ok {
		s.Input = formatOfBeta(f)
	}
	if f, ok := session["output_audio_format"].(string); ok {
		s.Output = formatOfBeta(f)
	}
	s.updateInput(session, "input_audio_transcription", "input_audio_noise_reduction")
	if err := s.updateVoice(session, "session.voice", hasSpoken); err != nil {
		return s, err
	}
	if m, ok := session["modalities"].([]any); ok {
		s.Text = !contains(m, "audio")
	}
	if t, ok := session["temperature"].(json.Number); ok {
		s.temperature = t
	}
	return s, s.updateCommon(session, "max_response_output_tokens")
}

func (s *Settings) keepModel(session map[string]any) *Error {
	if model, ok := session["model"]; ok && model != s.Model {
		return errValue("session.model", "Cannot update a session's model.")
	}
	return nil
}

func (s *Settings) updateInput(m map[string]any, transcription, noiseReduction string) {
	if v, ok := m[transcription]; ok {
		s.transcription, _ = v.(map[string]any)
	}
	if v, ok := m[noiseReduction]; ok {
		s.noiseReduction, _ = v.(map[string]any)
	}
	if v, ok := m["turn_detection"]; ok {
		detection, _ := v.(map[string]any)
		s.Turns = s.Turns.update(detection)
	}
}

func (s *Settings) updateVoice(m map[string]any, path string, hasSpoken bool) *Error {
	if voice, ok := m["voice"]; ok {
		if hasSpoken && !reflect.DeepEqual(voice, s.Voice) {
			return &Error{Code: "cannot_update_voice", Message: "Cannot update a conversation's voice if assistant audio is present.", Param: path}
		}
		s.Voice = voice
	}
	if speed, ok := m["speed"].(json.Number); ok {
		s.speed = speed
	}
	return nil
}

func (s *Settings) updateCommon(session map[string]any, maxTokens string) *Error {
	if v, ok := session["instructions"].(string); ok {
		s.Instructions = v
	}
	if v, ok := session["tools"].([]any); ok {
		s.Tools = v
	}
	if v, ok := session["tool_choice"]; ok {
		s.toolChoice = v
	}
	if v, ok := session[maxTokens]; ok {
		s.maxTokens = v
	}
	if v, ok := session["tracing"]; ok && s.echoed["tracing"] != nil && !reflect.DeepEqual(v, s.echoed["tracing"]) {
		return errValue("session.tracing", "Cannot update tracing once it is on.")
	}
	for _, name := range echoedNames {
		if v, ok := session[name]; ok {
			s.echoed[name] = v
		}
	}
	return nil
}

// update merges m into d, or into the defaults when the type changes; a nil m
// turns detection off.
func (d *TurnDetection) update(m map[string]any) *TurnDetection {
	if m == nil {
		return nil
	}
	semantic := m["type"] == "semantic_vad"
	var next TurnDetection
	switch {
	case d != nil && d.Semantic == semantic:
		next = *d
	case semantic:
		next = *semanticVAD()
	default:
		next = *serverVAD()
	}
	if v, ok := m["threshold"].(json.Number); ok {
		next.Threshold, _ = v.Float64()
	}
	milliseconds(m, "prefix_padding_ms", &next.PrefixPadding)
	milliseconds(m, "silence_duration_ms", &next.SilenceDuration)
	milliseconds(m, "idle_timeout_ms", &next.IdleTimeout)
	if v, ok := m["eagerness"].(string); ok {
		next.Eagerness = v
	}
	if v, ok := m["create_response"].(bool); ok {
		next.CreateResponse = v
	}
	if v, ok := m["interrupt_response"].(bool); ok {
		next.InterruptResponse = v
	}
	return &next
}

// milliseconds sets *d to the member, if there is one; null sets it to 0.
func milliseconds(m map[string]any, name string, d *time.Duration) {
	if v, ok := m[name]; ok {
		n, _ := v.(json.Number)
		ms, _ := n.Int64()
		*d = time.Duration(ms) * time.Millisecond
	}
}
