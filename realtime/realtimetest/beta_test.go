package realtimetest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/google/go-cmp/cmp"
)

func TestABetaConversation(t *testing.T) {
	cfg := realtimetest.Config{Dialects: realtimetest.BetaOnly, Voice: fixed(
		realtimetest.Speak(speech(2*time.Second), "Hello there."),
		realtimetest.CallFunction("f", `{"a":1}`),
		realtimetest.Speak(nil, "Only text."),
	)}
	bubble(t, cfg, func(t *testing.T, b *bench) {
		c := b.beta(t)
		c.send(betaUpdate(`"modalities":["text","audio"],"input_audio_format":"g711_ulaw","output_audio_format":"g711_alaw","voice":"sage","temperature":0.7,
			"input_audio_transcription":{"model":"whisper-1"},"turn_detection":{"type":"server_vad","silence_duration_ms":300},"max_response_output_tokens":200`))
		s := c.next("session.updated")["session"].(map[string]any)
		delete(s, "expires_at")
		want := decode(t, `{"object":"realtime.session","model":"gpt-4o-realtime-preview","modalities":["text","audio"],"voice":"sage",
			"input_audio_format":"g711_ulaw","output_audio_format":"g711_alaw","input_audio_transcription":{"model":"whisper-1"},"input_audio_noise_reduction":null,
			"turn_detection":{"type":"server_vad","threshold":0.5,"prefix_padding_ms":300,"silence_duration_ms":300,"create_response":true,"interrupt_response":true},
			"tools":[],"tool_choice":"auto","temperature":0.7,"max_response_output_tokens":200,"speed":1,"tracing":null,"prompt":null,"include":null}`)
		if diff := cmp.Diff(want, stable(s)); diff != "" {
			t.Error(diff)
		}
		c.say(append(speech(time.Second), silence(time.Second)...))
		c.next("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "conversation.item.created",
			"response.created", "response.output_item.added", "conversation.item.created", "response.content_part.added",
			"response.audio_transcript.delta", "…response.audio.delta", "…response.audio.done", "response.audio_transcript.done", "response.content_part.done")
		item := c.next("response.output_item.done")["item"].(map[string]any)
		if diff := cmp.Diff(decode(t, `[{"type":"audio","transcript":"Hello there."}]`), item["content"]); diff != "" {
			t.Error(diff)
		}
		c.next("…response.done")
		if n := c.count("conversation.item.input_audio_transcription.completed"); n != 1 {
			t.Errorf("%d transcripts, want 1", n)
		}
		c.next("rate_limits.updated")
		c.send(`{"type":"response.create","response":{"modalities":["text"]}}`)
		c.next("response.created", "response.output_item.added", "conversation.item.created",
			"response.function_call_arguments.delta", "response.function_call_arguments.delta", "response.function_call_arguments.done",
			"response.output_item.done", "response.done", "rate_limits.updated")
		c.send(`{"type":"response.create","response":{"modalities":["text"]}}`)
		c.next("response.created", "response.output_item.added", "conversation.item.created", "response.content_part.added",
			"response.text.delta", "response.text.delta", "response.text.done", "response.content_part.done", "response.output_item.done", "response.done", "rate_limits.updated")
		for _, e := range c.Events() {
			if strings.Contains(e.Type, "output_audio.") || strings.Contains(e.Type, "output_text") || strings.HasSuffix(e.Type, "item.added") && strings.HasPrefix(e.Type, "conversation") {
				t.Errorf("%s was sent to a Beta client", e.Type)
			}
		}
	})
}

func TestConversationOrder(t *testing.T) {
	for _, dialect := range []string{"ga", "beta"} {
		t.Run(dialect, func(t *testing.T) {
			bubble(t, realtimetest.Config{Dialects: realtimetest.Both}, func(t *testing.T, b *bench) {
				dial, created, said := b.ga, "conversation.item.added", "output_text"
				if dialect == "beta" {
					dial, created, said = b.beta, "conversation.item.created", "text"
				}
				c := dial(t)
				for _, step := range []struct{ id, after, previous string }{
					{"b", "", ""}, {"c", "", "b"}, {"a", "root", ""}, {"bb", "b", "b"},
				} {
					c.send(`{"type":"conversation.item.create","previous_item_id":"` + step.after + `","item":{"id":"` + step.id + `","type":"message","role":"assistant","content":[{"type":"` + said + `","text":"x"}]}}`)
					previous, _ := c.next(created)["previous_item_id"].(string)
					if previous != step.previous {
						t.Errorf("%s was put after %q, want %q", step.id, previous, step.previous)
					}
					if dialect == "ga" {
						c.next("conversation.item.done")
					}
				}
				c.refused(`{"type":"conversation.item.create","item":{"id":"a","type":"message","role":"user","content":[]}}`, "invalid_value")
				c.send(`{"type":"conversation.item.delete","item_id":"bb"}`)
				c.next("conversation.item.deleted")
				var ids []string
				for _, it := range c.Items() {
					ids = append(ids, it.ID)
				}
				if diff := cmp.Diff([]string{"a", "b", "c"}, ids); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}
