package realtimetest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/google/go-cmp/cmp"
)

func decode(t *testing.T, s string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// fixed members of a session differ from run to run.
func stable(session any) any {
	m := session.(map[string]any)
	delete(m, "id")
	delete(m, "instructions")
	return m
}

func TestDefaults(t *testing.T) {
	bubble(t, realtimetest.Config{Life: 10 * time.Minute}, func(t *testing.T, b *bench) {
		c := b.dial(t, nil, "?model=gpt-realtime")
		s := c.next("session.created")["session"].(map[string]any)
		if got, want := s["expires_at"], float64(time.Now().Add(10*time.Minute).Unix()); got != want {
			t.Errorf("expires_at %v, want %v", got, want)
		}
		delete(s, "expires_at")
		want := decode(t, `{"type":"realtime","object":"realtime.session","model":"gpt-realtime","output_modalities":["audio"],
			"tools":[],"tool_choice":"auto","max_output_tokens":"inf","tracing":null,"prompt":null,"include":null,
			"audio":{"input":{"format":{"type":"audio/pcm","rate":24000},"transcription":null,"noise_reduction":null,
			"turn_detection":{"type":"server_vad","threshold":0.5,"prefix_padding_ms":300,"silence_duration_ms":200,"idle_timeout_ms":null,"create_response":true,"interrupt_response":true}},
			"output":{"format":{"type":"audio/pcm","rate":24000},"voice":"marin","speed":1}}}`)
		if diff := cmp.Diff(want, stable(s)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestUpdatesMerge sends updates one after the other; each changes only what it
// names.
func TestUpdatesMerge(t *testing.T) {
	type change struct{ update, path, want string }
	changes := []change{
		{`"audio":{"input":{"format":{"type":"audio/pcmu"}}}`, "audio.input.format", `{"type":"audio/pcmu"}`},
		{`"audio":{"output":{"format":{"type":"audio/pcma"}}}`, "audio.output.format", `{"type":"audio/pcma"}`},
		{`"instructions":"Be brief."`, "instructions", `"Be brief."`},
		{`"instructions":""`, "instructions", `""`},
		{`"audio":{"output":{"voice":"cedar","speed":1.25}}`, "audio.output", `{"format":{"type":"audio/pcma"},"voice":"cedar","speed":1.25}`},
		{`"audio":{"output":{"voice":{"id":"voice_1"}}}`, "audio.output.voice", `{"id":"voice_1"}`},
		{`"audio":{"input":{"turn_detection":{"type":"server_vad","silence_duration_ms":700}}}`, "audio.input.turn_detection", `{"type":"server_vad","threshold":0.5,"prefix_padding_ms":300,"silence_duration_ms":700,"idle_timeout_ms":null,"create_response":true,"interrupt_response":true}`},
		{`"audio":{"input":{"turn_detection":{"type":"server_vad","idle_timeout_ms":6000,"create_response":false}}}`, "audio.input.turn_detection", `{"type":"server_vad","threshold":0.5,"prefix_padding_ms":300,"silence_duration_ms":700,"idle_timeout_ms":6000,"create_response":false,"interrupt_response":true}`},
		{`"audio":{"input":{"turn_detection":{"type":"semantic_vad","eagerness":"low"}}}`, "audio.input.turn_detection", `{"type":"semantic_vad","eagerness":"low","create_response":true,"interrupt_response":true}`},
		{`"audio":{"input":{"turn_detection":{"type":"server_vad"}}}`, "audio.input.turn_detection.silence_duration_ms", `200`},
		{`"audio":{"input":{"turn_detection":null}}`, "audio.input.turn_detection", `null`},
		{`"audio":{"input":{"transcription":{"model":"gpt-transcribe","language":"en"}}}`, "audio.input.transcription", `{"model":"gpt-transcribe","language":"en"}`},
		{`"audio":{"input":{"transcription":null}}`, "audio.input.transcription", `null`},
		{`"audio":{"input":{"noise_reduction":{"type":"near_field"}}}`, "audio.input.noise_reduction", `{"type":"near_field"}`},
		{`"audio":{"input":{"noise_reduction":null}}`, "audio.input.noise_reduction", `null`},
		{`"output_modalities":["text"]`, "output_modalities", `["text"]`},
		{`"tools":[{"type":"function","name":"f","parameters":{"type":"object"}},{"type":"mcp","server_label":"crm","server_url":"https://mcp.example.com","require_approval":"never","allowed_tools":["lookup"]}]`, "tools", `[{"type":"function","name":"f","parameters":{"type":"object"}},{"type":"mcp","server_label":"crm","server_url":"https://mcp.example.com","require_approval":"never","allowed_tools":["lookup"]}]`},
		{`"tools":[]`, "tools", `[]`},
		{`"tool_choice":{"type":"function","name":"f"}`, "tool_choice", `{"type":"function","name":"f"}`},
		{`"max_output_tokens":4096`, "max_output_tokens", `4096`},
		{`"max_output_tokens":"inf"`, "max_output_tokens", `"inf"`},
		{`"truncation":{"type":"retention_ratio","retention_ratio":0.8}`, "truncation", `{"type":"retention_ratio","retention_ratio":0.8}`},
		{`"reasoning":{"effort":"low"},"parallel_tool_calls":true`, "reasoning", `{"effort":"low"}`},
		{`"include":["item.input_audio_transcription.logprobs"]`, "include", `["item.input_audio_transcription.logprobs"]`},
		{`"tracing":"auto"`, "tracing", `"auto"`},
		{`"model":"gpt-realtime"`, "model", `"gpt-realtime"`},
	}
	bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
		c := b.dial(t, nil, "?model=gpt-realtime")
		before := c.next("session.created")["session"]
		for _, ch := range changes {
			c.send(update(ch.update))
			after := c.next("session.updated")["session"]
			if diff := cmp.Diff(decode(t, ch.want), at(after, ch.path)); diff != "" {
				t.Errorf("%s: %s", ch.update, diff)
			}
			before = after
		}
		c.refused(update(`"tracing":null`), "invalid_value")
		c.send(update(`"tracing":"auto"`))
		if diff := cmp.Diff(before, c.next("session.updated")["session"]); diff != "" {
			t.Errorf("an update of nothing changed the session: %s", diff)
		}
	})
}

// at returns the member of a value at a dotted path.
func at(v any, path string) any {
	for len(path) > 0 {
		name := path
		for i := range path {
			if path[i] == '.' {
				name = path[:i]
				break
			}
		}
		path = path[min(len(path), len(name)+1):]
		v = v.(map[string]any)[name]
	}
	return v
}

func TestTheVoiceIsLockedByTheFirstAudio(t *testing.T) {
	for _, dialect := range []string{"ga", "beta"} {
		t.Run(dialect, func(t *testing.T) {
			bubble(t, realtimetest.Config{Dialects: realtimetest.Both}, func(t *testing.T, b *bench) {
				dial, format := b.ga, func(voice string) string {
					return update(`"instructions":"New.","audio":{"output":{"voice":"` + voice + `"}}`)
				}
				if dialect == "beta" {
					dial, format = b.beta, func(voice string) string { return betaUpdate(`"instructions":"New.","voice":"` + voice + `"`) }
				}
				c := dial(t)
				c.send(format("sage"))
				c.next("session.updated")
				c.send(`{"type":"response.create"}`)
				c.next("…response.done", "rate_limits.updated")
				c.send(format("sage")) // the same is no change
				c.next("session.updated")
				before := c.Settings()
				c.refused(format("echo"), "cannot_update_voice")
				if diff := cmp.Diff(before, c.Settings(), cmp.AllowUnexported(realtimetest.Settings{})); diff != "" {
					t.Errorf("the refused update left its mark: %s", diff)
				}
			})
		})
	}
}
