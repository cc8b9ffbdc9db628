package realtime

import "encoding/json"

// Properties are the settings of a session in the flat vocabulary of the
// configuration; the provider's dialect puts them on the wire. A zero member is
// absent and leaves the provider's default. Every member can be read from YAML
// by its tag, strictly if the decoder is strict.
type Properties struct {
	Modalities               []string        `yaml:"modalities"` // [audio, text] or [text]; audio always brings its transcript
	Instructions             string          `yaml:"instructions"`
	Voice                    string          `yaml:"voice"` // passed on; voice_… is a custom voice's id; locked after the first audio
	InputAudioFormat         AudioFormat     `yaml:"input_audio_format"`
	OutputAudioFormat        AudioFormat     `yaml:"output_audio_format"`
	InputAudioTranscription  *Transcription  `yaml:"input_audio_transcription"`
	InputAudioNoiseReduction string          `yaml:"input_audio_noise_reduction"` // near_field, far_field, off
	TurnDetection            *TurnDetection  `yaml:"turn_detection"`
	Tools                    []Tool          `yaml:"-"`           // empty, not nil: none
	ToolChoice               string          `yaml:"tool_choice"` // auto, none, required or a tool's name
	Temperature              *float64        `yaml:"temperature"` // Beta only, 0.6 to 1.2
	MaxResponseOutputTokens  *MaxTokens      `yaml:"max_response_output_tokens"`
	Speed                    *float64        `yaml:"speed"`               // 0.25 to 1.5, changes between turns only
	Truncation               *Truncation     `yaml:"truncation"`          // GA only
	ReasoningEffort          ReasoningEffort `yaml:"reasoning"`           // GA only, refused by models that do not reason
	ParallelToolCalls        *bool           `yaml:"parallel_tool_calls"` // GA only, refused by models that do not reason
	Tracing                  any             `yaml:"tracing"`             // auto or {workflow_name, group_id, metadata}
	Include                  []string        `yaml:"include"`
	Extra                    map[string]any  `yaml:"extra"` // members that only this provider knows, in its own nesting; merged last
}

// Transcription asks for the caller's words as text, by a recogniser of its
// own. A nil *Transcription leaves the provider's default, which is off; the
// model "none" turns it off.
type Transcription struct {
	Model    string   `yaml:"model" json:"model,omitempty"`
	Language string   `yaml:"language" json:"language,omitempty"` // ISO 639-1
	Prompt   string   `yaml:"prompt" json:"prompt,omitempty"`
	Keywords []string `yaml:"keywords" json:"keywords,omitempty"` // GA only, some models
	Delay    string   `yaml:"delay" json:"delay,omitempty"`       // GA only: minimal, low, medium, high, xhigh; some models
}

// TurnDetection says who decides that the caller's turn has begun or ended.
// A nil *TurnDetection leaves the provider's default; Type "none" turns the
// provider's detection off. In YAML, false and null are "none" too.
type TurnDetection struct {
	Type              string   `yaml:"type"`                // server_vad (also if empty), semantic_vad, none
	Threshold         *float64 `yaml:"threshold"`           // server_vad: 0 to 1
	PrefixPaddingMS   *int     `yaml:"prefix_padding_ms"`   // server_vad
	SilenceDurationMS *int     `yaml:"silence_duration_ms"` // server_vad; 500 if nil: servers' own defaults differ
	IdleTimeoutMS     *int     `yaml:"idle_timeout_ms"`     // server_vad, GA only: 5000 to 30000
	Eagerness         string   `yaml:"eagerness"`           // semantic_vad: auto, low, medium, high
	CreateResponse    *bool    `yaml:"create_response"`
	InterruptResponse *bool    `yaml:"interrupt_response"`
}

// The types of turn detection.
const (
	ServerVAD   = "server_vad"
	SemanticVAD = "semantic_vad"
	NoDetection = "none"
)

// DefaultSilenceDurationMS is sent for server_vad when nothing is set: 500 is
// what the documentation says, 200 is what a captured session had.
const DefaultSilenceDurationMS = 500

// MaxTokens is a number of tokens, 1 to 4096, or Inf.
type MaxTokens int

// Inf is no limit; "inf" in YAML and on the wire.
const Inf MaxTokens = -1

// ReasoningEffort is minimal, low, medium, high or xhigh; YAML takes the word
// alone and {effort: word}.
type ReasoningEffort string

// Truncation says how the server trims a conversation that outgrows the model's
// context. It has nothing to do with [Session.Truncate]. YAML takes the word
// alone, or an object with token_limits: {post_instructions: n}.
type Truncation struct {
	Type             string   // auto, disabled, retention_ratio
	RetentionRatio   *float64 // retention_ratio: 0 to 1
	PostInstructions *int     // retention_ratio: tokens
}

// Tool is a function that the model may call.
type Tool struct {
	Name        string          // letters, digits, _ and -, at most 64
	Description string          //
	Parameters  json.RawMessage // JSON Schema of an object; nil: no parameters

	// Raw is an entry of another kind, an MCP server for example, in the
	// provider's own words; the members above are then unused. GA only.
	Raw json.RawMessage
}
