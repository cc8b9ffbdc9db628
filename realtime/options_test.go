package realtime_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/realtime"
)

// option is one row of the options that a session has: what is set, and the
// session object that goes out in each dialect; "" means that the dialect has
// no such option and the configuration is refused.
type option struct {
	name     string
	set      realtime.Properties
	ga, beta string
}

func options() []option {
	type P = realtime.Properties
	type TD = realtime.TurnDetection
	return []option{
		{
			"nothing",
			P{},
			`{"type":"realtime"}`, `{}`,
		},
		{
			"modalities: audio and text",
			P{Modalities: []string{"audio", "text"}},
			`{"type":"realtime","output_modalities":["audio"]}`, `{"modalities":["audio","text"]}`,
		},
		{
			"modalities: audio",
			P{Modalities: []string{"audio"}},
			`{"type":"realtime","output_modalities":["audio"]}`, `{"modalities":["audio","text"]}`,
		},
		{
			"modalities: text",
			P{Modalities: []string{"text"}},
			`{"type":"realtime","output_modalities":["text"]}`, `{"modalities":["text"]}`,
		},
		{
			"instructions",
			P{Instructions: "Say \"hi\" <b>&</b> ü."},
			`{"type":"realtime","instructions":"Say \"hi\" <b>&</b> ü."}`, `{"instructions":"Say \"hi\" <b>&</b> ü."}`,
		},
		{
			"voice",
			P{Voice: "marin"},
			`{"type":"realtime","audio":{"output":{"voice":"marin"}}}`, `{"voice":"marin"}`,
		},
		{
			"voice: custom",
			P{Voice: "voice_123"},
			`{"type":"realtime","audio":{"output":{"voice":{"id":"voice_123"}}}}`, `{"voice":"voice_123"}`,
		},
		{
			"formats: µ-law in, A-law out",
			P{InputAudioFormat: "g711_ulaw", OutputAudioFormat: "g711_alaw"},
			`{"type":"realtime","audio":{"input":{"format":{"type":"audio/pcmu"}},"output":{"format":{"type":"audio/pcma"}}}}`,
			`{"input_audio_format":"g711_ulaw","output_audio_format":"g711_alaw"}`,
		},
		{
			"formats: PCM",
			P{InputAudioFormat: "pcm16", OutputAudioFormat: "pcm16"},
			`{"type":"realtime","audio":{"input":{"format":{"type":"audio/pcm","rate":24000}},"output":{"format":{"type":"audio/pcm","rate":24000}}}}`,
			`{"input_audio_format":"pcm16","output_audio_format":"pcm16"}`,
		},
		{
			"transcription",
			P{InputAudioTranscription: &realtime.Transcription{Model: "gpt-transcribe", Language: "en", Prompt: "names"}},
			`{"type":"realtime","audio":{"input":{"transcription":{"model":"gpt-transcribe","language":"en","prompt":"names"}}}}`,
			`{"input_audio_transcription":{"model":"gpt-transcribe","language":"en","prompt":"names"}}`,
		},
		{
			"transcription: keywords and delay",
			P{InputAudioTranscription: &realtime.Transcription{Model: "m", Keywords: []string{"callgw"}, Delay: "low"}},
			`{"type":"realtime","audio":{"input":{"transcription":{"model":"m","keywords":["callgw"],"delay":"low"}}}}`, "",
		},
		{
			"transcription: off",
			P{InputAudioTranscription: &realtime.Transcription{Model: "none"}},
			`{"type":"realtime","audio":{"input":{"transcription":null}}}`, `{"input_audio_transcription":null}`,
		},
		{
			"noise reduction",
			P{InputAudioNoiseReduction: "near_field"},
			`{"type":"realtime","audio":{"input":{"noise_reduction":{"type":"near_field"}}}}`,
			`{"input_audio_noise_reduction":{"type":"near_field"}}`,
		},
		{
			"noise reduction: off",
			P{InputAudioNoiseReduction: "off"},
			`{"type":"realtime","audio":{"input":{"noise_reduction":null}}}`, `{"input_audio_noise_reduction":null}`,
		},
		{
			"turn detection: none",
			P{TurnDetection: &TD{Type: "none"}},
			`{"type":"realtime","audio":{"input":{"turn_detection":null}}}`, `{"turn_detection":null}`,
		},
		{
			"turn detection: server VAD, silence always sent",
			P{TurnDetection: &TD{}},
			`{"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","silence_duration_ms":500}}}}`,
			`{"turn_detection":{"type":"server_vad","silence_duration_ms":500}}`,
		},
		{
			"turn detection: server VAD, all of it",
			P{TurnDetection: &TD{
				Type: "server_vad", Threshold: new(0.4), PrefixPaddingMS: new(200), SilenceDurationMS: new(800),
				CreateResponse: new(false), InterruptResponse: new(true),
			}},
			`{"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","threshold":0.4,"prefix_padding_ms":200,"silence_duration_ms":800,"create_response":false,"interrupt_response":true}}}}`,
			`{"turn_detection":{"type":"server_vad","threshold":0.4,"prefix_padding_ms":200,"silence_duration_ms":800,"create_response":false,"interrupt_response":true}}`,
		},
		{
			"turn detection: idle timeout",
			P{TurnDetection: &TD{IdleTimeoutMS: new(6000)}},
			`{"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","silence_duration_ms":500,"idle_timeout_ms":6000}}}}`, "",
		},
		{
			"turn detection: semantic VAD",
			P{TurnDetection: &TD{Type: "semantic_vad", Eagerness: "low", CreateResponse: new(true), InterruptResponse: new(false)}},
			`{"type":"realtime","audio":{"input":{"turn_detection":{"type":"semantic_vad","eagerness":"low","create_response":true,"interrupt_response":false}}}}`,
			`{"turn_detection":{"type":"semantic_vad","eagerness":"low","create_response":true,"interrupt_response":false}}`,
		},
		{
			"tools",
			P{Tools: []realtime.Tool{{Name: "f", Description: "does", Parameters: json.RawMessage(`{"type":"object"}`)}, {Name: "g"}}},
			`{"type":"realtime","tools":[{"type":"function","name":"f","description":"does","parameters":{"type":"object"}},{"type":"function","name":"g"}]}`,
			`{"tools":[{"type":"function","name":"f","description":"does","parameters":{"type":"object"}},{"type":"function","name":"g"}]}`,
		},
		{
			"tools: none",
			P{Tools: []realtime.Tool{}},
			`{"type":"realtime","tools":[]}`, `{"tools":[]}`,
		},
		{
			"tools: MCP",
			P{Tools: []realtime.Tool{{Raw: json.RawMessage(`{"type":"mcp","server_label":"crm","server_url":"https://mcp.example.com","require_approval":"never"}`)}}},
			`{"type":"realtime","tools":[{"type":"mcp","server_label":"crm","server_url":"https://mcp.example.com","require_approval":"never"}]}`, "",
		},
		{
			"tool choice: a word",
			P{ToolChoice: "required"},
			`{"type":"realtime","tool_choice":"required"}`, `{"tool_choice":"required"}`,
		},
		{
			"tool choice: a tool",
			P{ToolChoice: "f", Tools: []realtime.Tool{{Name: "f"}}},
			`{"type":"realtime","tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"function","name":"f"}}`,
			`{"tools":[{"type":"function","name":"f"}],"tool_choice":"f"}`,
		},
		{
			"temperature",
			P{Temperature: new(0.8)},
			"", `{"temperature":0.8}`,
		},
		{
			"max tokens",
			P{MaxResponseOutputTokens: new(realtime.MaxTokens(4096))},
			`{"type":"realtime","max_output_tokens":4096}`, `{"max_response_output_tokens":4096}`,
		},
		{
			"max tokens: inf",
			P{MaxResponseOutputTokens: new(realtime.Inf)},
			`{"type":"realtime","max_output_tokens":"inf"}`, `{"max_response_output_tokens":"inf"}`,
		},
		{
			"speed",
			P{Speed: new(1.25)},
			`{"type":"realtime","audio":{"output":{"speed":1.25}}}`, `{"speed":1.25}`,
		},
		{
			"truncation: a word",
			P{Truncation: &realtime.Truncation{Type: "disabled"}},
			`{"type":"realtime","truncation":"disabled"}`, "",
		},
		{
			"truncation: retention ratio",
			P{Truncation: &realtime.Truncation{Type: "retention_ratio", RetentionRatio: new(0.8), PostInstructions: new(8000)}},
			`{"type":"realtime","truncation":{"type":"retention_ratio","retention_ratio":0.8,"token_limits":{"post_instructions":8000}}}`, "",
		},
		{
			"reasoning",
			P{ReasoningEffort: "low"},
			`{"type":"realtime","reasoning":{"effort":"low"}}`, "",
		},
		{
			"parallel tool calls",
			P{ParallelToolCalls: new(false)},
			`{"type":"realtime","parallel_tool_calls":false}`, "",
		},
		{
			"tracing: auto",
			P{Tracing: "auto"},
			`{"type":"realtime","tracing":"auto"}`, `{"tracing":"auto"}`,
		},
		{
			"tracing: an object",
			P{Tracing: map[string]any{"workflow_name": "calls"}},
			`{"type":"realtime","tracing":{"workflow_name":"calls"}}`, `{"tracing":{"workflow_name":"calls"}}`,
		},
		{
			"include",
			P{Include: []string{"item.input_audio_transcription.logprobs"}},
			`{"type":"realtime","include":["item.input_audio_transcription.logprobs"]}`,
			`{"include":["item.input_audio_transcription.logprobs"]}`,
		},
		{
			"extra: merged last, into what is there",
			P{
				Voice: "marin", InputAudioNoiseReduction: "far_field",
				Extra: map[string]any{"audio": map[string]any{"input": map[string]any{"noise_reduction": map[string]any{"strength": 0.5}}}},
			},
			`{"type":"realtime","audio":{"output":{"voice":"marin"},"input":{"noise_reduction":{"type":"far_field","strength":0.5}}}}`,
			`{"voice":"marin","input_audio_noise_reduction":{"type":"far_field"},"audio":{"input":{"noise_reduction":{"strength":0.5}}}}`,
		},
	}
}

func TestEveryOptionOnTheWire(t *testing.T) {
	for _, dialect := range []realtime.Dialect{realtime.GA, realtime.Beta} {
		schema := contract.OpenSchema(t, "realtime-events/"+string(dialect)+"-client.schema.json")
		for _, o := range options() {
			t.Run(string(dialect)+"/"+o.name, func(t *testing.T) {
				want := o.ga
				if dialect == realtime.Beta {
					want = o.beta
				}
				err := o.set.Validate(dialect)
				if want == "" {
					if err == nil {
						t.Fatal("the configuration is accepted")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				sent := make(chan message, 1)
				provider := serve(t, func(p *peer) {
					sent <- p.open()
					p.drain()
				})
				provider.Dialect = dialect
				s := newSession(t, realtime.Config{Providers: []realtime.Provider{provider}, Properties: o.set})
				_ = s.Open(t.Context()) // the peer echoes µ-law; what goes out is of interest here
				update := receive(t, sent)
				if diff := cmp.Diff(parse(t, []byte(want)), parse(t, update.Session)); diff != "" {
					t.Errorf("session (-want +got):\n%s", diff)
				}
				if err := schema.Validate(withoutNulls(t, dialect, update.Raw)); err != nil {
					t.Errorf("%s\n%v", update.Raw, err)
				}
			})
		}
	}
}

func parse(t testing.TB, raw []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

// withoutNulls takes the nulls out of a Beta message's session: the reference of
// the time says that null turns things off, its schema forgot.
func withoutNulls(t testing.TB, d realtime.Dialect, raw []byte) []byte {
	if d != realtime.Beta {
		return raw
	}
	m := parse(t, raw).(map[string]any)
	if session, ok := m["session"].(map[string]any); ok {
		for k, v := range session {
			if v == nil {
				delete(session, k)
			}
		}
	}
	clean, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return clean
}

func TestValidateTellsEveryFaultWithItsOption(t *testing.T) {
	p := realtime.Properties{
		Modalities:               []string{"video"},
		InputAudioFormat:         "opus",
		InputAudioTranscription:  &realtime.Transcription{Language: "en"},
		InputAudioNoiseReduction: "strong",
		TurnDetection: &realtime.TurnDetection{
			Type: "semantic_vad", Threshold: new(1.5), IdleTimeoutMS: new(10), Eagerness: "mad",
		},
		Tools:                   []realtime.Tool{{Name: "a b"}, {Name: "f"}, {Name: "f", Parameters: json.RawMessage(`[]`)}},
		ToolChoice:              "g",
		Temperature:             new(0.8),
		MaxResponseOutputTokens: new(realtime.MaxTokens(5000)),
		Speed:                   new(2.0),
		Truncation:              &realtime.Truncation{Type: "auto", RetentionRatio: new(0.5)},
		ReasoningEffort:         "extreme",
		Tracing:                 1,
		Include:                 []string{""},
		Extra:                   map[string]any{"f": func() {}},
	}
	err := p.Validate(realtime.GA)
	if err == nil {
		t.Fatal("no fault found")
	}
	for _, option := range []string{
		"modalities", "input_audio_format", "input_audio_transcription.model", "input_audio_noise_reduction",
		"turn_detection.threshold", "turn_detection.idle_timeout_ms", "turn_detection.eagerness",
		"tools[0].name", "tools[2].name", "tools[2].parameters", "tool_choice", "temperature",
		"max_response_output_tokens", "speed", "truncation", "reasoning", "tracing", "include", "extra",
	} {
		if !strings.Contains(err.Error(), "realtime: "+option+": ") {
			t.Errorf("nothing is said about %s", option)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
	none := realtime.Properties{TurnDetection: &realtime.TurnDetection{Type: "none", CreateResponse: new(true)}}
	if none.Validate(realtime.GA) == nil {
		t.Error("create_response is accepted without turn detection")
	}
}
