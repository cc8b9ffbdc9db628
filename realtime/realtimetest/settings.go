package realtimetest

import (
	"encoding/json"
	"slices"
	"time"
)

// Settings are the effective configuration of a session. Members that this
// server only keeps and echoes are as they came.
type Settings struct {
	Model         string
	Transcription bool // a session of type transcription: it has no responses
	Instructions  string
	Text          bool // responses are text, not audio
	Input, Output Format
	Turns         *TurnDetection // nil: turns are made by the client
	Voice         any            // a name, or an object with an id
	Tools         []any

	expires        int64
	transcription  map[string]any
	noiseReduction map[string]any
	speed          json.Number
	toolChoice     any
	maxTokens      any
	temperature    json.Number    // Beta
	echoed         map[string]any // of echoedNames, those that were ever set
}

// echoedNames are the members without effect here.
var echoedNames = [...]string{"truncation", "reasoning", "parallel_tool_calls", "tracing", "prompt", "include"}

// TurnDetection is how the server recognises the caller's turns.
type TurnDetection struct {
	Semantic          bool
	Threshold         float64
	PrefixPadding     time.Duration
	SilenceDuration   time.Duration // server_vad
	IdleTimeout       time.Duration // 0: none
	Eagerness         string        // semantic_vad
	CreateResponse    bool
	InterruptResponse bool
}

// defaultInstructions stand in for the prompt that the service supplies.
const defaultInstructions = "You are a helpful, witty, and friendly AI. Your voice and personality should be warm and engaging, with a lively and playful tone."

// defaults are those of the service's captured session.created: not what a
// telephone call wants, and silence_duration_ms not as documented.
func defaults(model string) Settings {
	return Settings{
		Model: model, Instructions: defaultInstructions, Input: PCM16, Output: PCM16, Voice: "marin", Tools: []any{},
		Turns: serverVAD(), speed: "1", toolChoice: "auto", maxTokens: "inf", temperature: "0.8",
		echoed: map[string]any{"tracing": nil, "prompt": nil, "include": nil},
	}
}

func serverVAD() *TurnDetection {
	return &TurnDetection{Threshold: 0.5, PrefixPadding: 300 * time.Millisecond, SilenceDuration: 200 * time.Millisecond, CreateResponse: true, InterruptResponse: true}
}

func semanticVAD() *TurnDetection {
	return &TurnDetection{Semantic: true, Eagerness: "auto", Threshold: 0.5, PrefixPadding: 300 * time.Millisecond, CreateResponse: true, InterruptResponse: true}
}

// hangover is the silence that ends a turn. Semantic detection, which listens
// for the end of a thought, is imitated by waiting longer.
func (d *TurnDetection) hangover() time.Duration {
	if !d.Semantic {
		return d.SilenceDuration
	}
	switch d.Eagerness {
	case "high":
		return 600 * time.Millisecond
	case "low":
		return 2 * time.Second
	}
	return time.Second
}

// hearsLike tells whether a detector for d does for o as well.
func (d *TurnDetection) hearsLike(o *TurnDetection) bool {
	return d == nil && o == nil || d != nil && o != nil && d.Threshold == o.Threshold && d.hangover() == o.hangover()
}

func (d *TurnDetection) render() any {
	switch {
	case d == nil:
		return nil
	case d.Semantic:
		return object{{"type", "semantic_vad"}, {"eagerness", d.Eagerness}, {"create_response", d.CreateResponse}, {"interrupt_response", d.InterruptResponse}}
	}
	return object{
		{"type", "server_vad"},
		{"threshold", d.Threshold},
		{"prefix_padding_ms", d.PrefixPadding.Milliseconds()},
		{"silence_duration_ms", d.SilenceDuration.Milliseconds()},
		{"create_response", d.CreateResponse},
		{"interrupt_response", d.InterruptResponse},
	}
}

// renderIdle adds what only the GA dialect has.
func (d *TurnDetection) renderIdle() any {
	o, ok := d.render().(object)
	if !ok || d.Semantic {
		return d.render()
	}
	var idle any
	if d.IdleTimeout > 0 {
		idle = d.IdleTimeout.Milliseconds()
	}
	return append(o, member{"idle_timeout_ms", idle})
}

// renderGA is the session member of session.created and session.updated.
func (s *Settings) renderGA(id string) object {
	input := object{
		{"format", s.Input.ga()},
		{"transcription", orNil(s.transcription)},
		{"noise_reduction", orNil(s.noiseReduction)},
		{"turn_detection", s.Turns.renderIdle()},
	}
	if s.Transcription {
		return object{
			{"type", "transcription"},
			{"object", "realtime.transcription_session"},
			{"id", id},
			{"expires_at", s.expires},
			{"audio", object{{"input", input}}},
			{"include", s.echoed["include"]},
		}
	}
	o := object{
		{"type", "realtime"},
		{"object", "realtime.session"},
		{"id", id},
		{"model", s.Model},
		{"output_modalities", s.gaModalities()},
		{"instructions", s.Instructions},
		{"tools", s.Tools},
		{"tool_choice", s.toolChoice},
		{"max_output_tokens", s.maxTokens},
		{"expires_at", s.expires},
		{"audio", object{
			{"input", input},
			{"output", object{{"format", s.Output.ga()}, {"voice", s.Voice}, {"speed", s.speed}}},
		}},
	}
	return append(o, s.renderEchoed()...)
}

func (s *Settings) gaModalities() []string {
	if s.Text {
		return []string{"text"}
	}
	return []string{"audio"}
}

func (s *Settings) betaModalities() []string {
	if s.Text {
		return []string{"text"}
	}
	return []string{"text", "audio"}
}

// renderBeta is the flat session of the Beta dialect.
func (s *Settings) renderBeta(id string) object {
	kind := "realtime.session"
	if s.Transcription {
		kind = "realtime.transcription_session"
	}
	o := object{
		{"id", id},
		{"object", kind},
		{"model", s.Model},
		{"expires_at", s.expires},
		{"modalities", s.betaModalities()},
		{"instructions", s.Instructions},
		{"voice", s.Voice},
		{"input_audio_format", s.Input.Beta()},
		{"output_audio_format", s.Output.Beta()},
		{"input_audio_transcription", orNil(s.transcription)},
		{"input_audio_noise_reduction", orNil(s.noiseReduction)},
		{"turn_detection", s.Turns.render()},
		{"tools", s.Tools},
		{"tool_choice", s.toolChoice},
		{"temperature", s.temperature},
		{"max_response_output_tokens", s.maxTokens},
		{"speed", s.speed},
	}
	return append(o, s.renderEchoed()...)
}

func (s *Settings) renderEchoed() object {
	var o object
	for _, name := range echoedNames {
		if v, ok := s.echoed[name]; ok {
			o = append(o, member{name, v})
		}
	}
	return o
}

func orNil(m map[string]any) any {
	if m == nil {
		return nil
	}
	return m
}

func contains(list []any, s string) bool { return slices.Contains(list, any(s)) }
