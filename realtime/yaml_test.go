package realtime_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/realtime"
)

func TestPropertiesAreReadFromYAML(t *testing.T) {
	type P = realtime.Properties
	for _, c := range []struct {
		name, text string
		want       P
	}{
		{
			"flat members", "{modalities: [audio, text], voice: marin, speed: 1.2, temperature: 0.7, parallel_tool_calls: false, tool_choice: required, input_audio_format: g711_ulaw}",
			P{
				Modalities: []string{"audio", "text"}, Voice: "marin", Speed: new(1.2), Temperature: new(0.7),
				ParallelToolCalls: new(false), ToolChoice: "required", InputAudioFormat: realtime.FormatULaw,
			},
		},
		{
			"turn detection: an object", "turn_detection: {type: server_vad, threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: 500, create_response: false}",
			P{TurnDetection: &realtime.TurnDetection{
				Type: "server_vad", Threshold: new(0.5), PrefixPaddingMS: new(300), SilenceDurationMS: new(500), CreateResponse: new(false),
			}},
		},
		{"turn detection: absent", "voice: marin", P{Voice: "marin"}},
		{"turn detection: false", "turn_detection: false", P{TurnDetection: &realtime.TurnDetection{Type: "none"}}},
		{"turn detection: null", "turn_detection: null", P{TurnDetection: &realtime.TurnDetection{Type: "none"}}},
		{"turn detection: nothing", "turn_detection:", P{TurnDetection: &realtime.TurnDetection{Type: "none"}}},
		{"turn detection: none", "turn_detection: none", P{TurnDetection: &realtime.TurnDetection{Type: "none"}}},
		{"turn detection: a type alone", "turn_detection: semantic_vad", P{TurnDetection: &realtime.TurnDetection{Type: "semantic_vad"}}},
		{"transcription: an object", "input_audio_transcription: {model: gpt-transcribe, language: en}", P{InputAudioTranscription: &realtime.Transcription{Model: "gpt-transcribe", Language: "en"}}},
		{"transcription: a model alone", "input_audio_transcription: gpt-transcribe", P{InputAudioTranscription: &realtime.Transcription{Model: "gpt-transcribe"}}},
		{"transcription: false", "input_audio_transcription: false", P{InputAudioTranscription: &realtime.Transcription{Model: "none"}}},
		{"noise reduction: off", "input_audio_noise_reduction: off", P{InputAudioNoiseReduction: "off"}},
		{"max tokens", "max_response_output_tokens: 300", P{MaxResponseOutputTokens: new(realtime.MaxTokens(300))}},
		{"max tokens: inf", "max_response_output_tokens: inf", P{MaxResponseOutputTokens: new(realtime.Inf)}},
		{"max tokens: .inf", "max_response_output_tokens: .inf", P{MaxResponseOutputTokens: new(realtime.Inf)}},
		{"truncation: a word", "truncation: disabled", P{Truncation: &realtime.Truncation{Type: "disabled"}}},
		{
			"truncation: an object", "truncation: {type: retention_ratio, retention_ratio: 0.8, token_limits: {post_instructions: 8000}}",
			P{Truncation: &realtime.Truncation{Type: "retention_ratio", RetentionRatio: new(0.8), PostInstructions: new(8000)}},
		},
		{"reasoning: a word", "reasoning: low", P{ReasoningEffort: "low"}},
		{"reasoning: an object", "reasoning: {effort: high}", P{ReasoningEffort: "high"}},
		{"tracing", "tracing: {workflow_name: w}", P{Tracing: map[string]any{"workflow_name": "w"}}},
		{"extra", "extra: {audio: {output: {model: tts}}}", P{Extra: map[string]any{"audio": map[string]any{"output": map[string]any{"model": "tts"}}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			// As a member of something larger, which is how a configuration has it.
			var agent struct{ Session P }
			text := "session:\n  " + c.text
			if strings.HasPrefix(c.text, "{") {
				text = "session: " + c.text
			}
			if err := yaml.NewDecoder(strings.NewReader(text), yaml.Strict()).Decode(&agent); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, agent.Session); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaultyYAMLIsRefused(t *testing.T) {
	for text, where := range map[string]string{
		"voyce: marin":                           "voyce",
		"turn_detection: true":                   "turn_detection",
		"turn_detection: {treshold: 0.5}":        "treshold",
		"turn_detection: {threshold: high}":      "threshold",
		"input_audio_transcription: true":        "input_audio_transcription",
		"input_audio_transcription: {modell: x}": "modell",
		"max_response_output_tokens: many":       "max_response_output_tokens",
		"max_response_output_tokens: 0":          "max_response_output_tokens",
		"max_response_output_tokens: -1":         "max_response_output_tokens",
		"truncation: {kind: auto}":               "kind",
		"reasoning: {efort: low}":                "efort",
		"tools: []":                              "tools",
	} {
		var p realtime.Properties
		if err := yaml.NewDecoder(strings.NewReader(text), yaml.Strict()).Decode(&p); err == nil {
			t.Errorf("%s is read as %+v", text, p)
		} else if !strings.Contains(err.Error(), where) {
			t.Errorf("%s: the error does not say where: %v", text, err)
		}
	}
}

func TestMerge(t *testing.T) {
	base := realtime.Properties{
		Voice: "marin", Speed: new(1.0), Modalities: []string{"audio"},
		TurnDetection:           &realtime.TurnDetection{Threshold: new(0.5), CreateResponse: new(true)},
		InputAudioTranscription: &realtime.Transcription{Model: "m", Language: "en"},
		Extra:                   map[string]any{"a": map[string]any{"x": 1, "y": 2}, "b": 1},
	}
	got := base.Merge(realtime.Properties{
		Voice: "cedar", Tools: []realtime.Tool{},
		TurnDetection:           &realtime.TurnDetection{Type: "server_vad", CreateResponse: new(false)},
		InputAudioTranscription: &realtime.Transcription{Language: "de"},
		Extra:                   map[string]any{"a": map[string]any{"y": 3}},
	})
	want := realtime.Properties{
		Voice: "cedar", Speed: new(1.0), Modalities: []string{"audio"}, Tools: []realtime.Tool{},
		TurnDetection:           &realtime.TurnDetection{Type: "server_vad", Threshold: new(0.5), CreateResponse: new(false)},
		InputAudioTranscription: &realtime.Transcription{Model: "m", Language: "de"},
		Extra:                   map[string]any{"a": map[string]any{"x": 1, "y": 3}, "b": 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !*base.TurnDetection.CreateResponse || base.Extra["a"].(map[string]any)["y"] != 2 {
		t.Error("the base was changed")
	}
	if off := got.Merge(realtime.Properties{TurnDetection: &realtime.TurnDetection{Type: "none"}}); off.TurnDetection.Threshold != nil {
		t.Errorf("turned off, with %+v left", off.TurnDetection)
	}
}
