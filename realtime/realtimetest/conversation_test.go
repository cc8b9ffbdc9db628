package realtimetest_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
)

// TestASpokenTurn follows a caller's sentence and its answer through every event
// in the order of the service.
func TestASpokenTurn(t *testing.T) {
	hello, err := os.ReadFile("../../test/fixtures/caller_hello.ulaw")
	if err != nil {
		t.Fatal(err)
	}
	bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw(`,"transcription":{"model":"gpt-transcribe"},"turn_detection":{"type":"server_vad","silence_duration_ms":500}`)
		line := append(append(silence(time.Second), hello...), silence(time.Second)...)
		c.say(line)
		started := c.next("input_audio_buffer.speech_started")
		if ms := started["audio_start_ms"].(float64); ms < 680 || ms > 740 {
			t.Errorf("speech starts at %v ms, want 300 ms before the first sound at 1000", ms)
		}
		stopped := c.next("input_audio_buffer.speech_stopped")
		if ms := stopped["audio_end_ms"].(float64); ms < 2900 || ms > 3160 {
			t.Errorf("speech ends at %v ms, want half a second after the clip's last sound", ms)
		}
		if committed := c.next("input_audio_buffer.committed"); committed["item_id"] != started["item_id"] {
			t.Errorf("item %v committed, %v begun", committed["item_id"], started["item_id"])
		}
		c.next("conversation.item.added", "conversation.item.done", "response.created",
			"response.output_item.added", "conversation.item.added", "response.content_part.added",
			"response.output_audio_transcript.delta", "…response.output_audio.delta", "…response.output_audio.done",
			"response.output_audio_transcript.done", "response.content_part.done", "response.output_item.done", "conversation.item.done",
			"response.done", "rate_limits.updated")
		out := c.Outputs()
		if len(out) != 1 {
			t.Fatalf("%d items with audio, want 1", len(out))
		}
		if !bytes.Contains(line, out[0].Audio) || !bytes.Contains(out[0].Audio, hello[:len(hello)-600]) {
			t.Error("the parrot's audio is not the caller's")
		}
		if !bytes.Equal(c.Input(), line) {
			t.Error("the recorded input is not what was appended")
		}
		if v := c.Violations(); len(v) != 0 {
			t.Errorf("violations: %v", v)
		}
	})
}

func TestGreeting(t *testing.T) {
	bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw("")
		start := time.Now()
		c.send(`{"type":"response.create"}`)
		var heard []byte
		c.next("response.created", "…response.output_audio.delta")
		if d := time.Since(start); d != 150*time.Millisecond {
			t.Errorf("first audio after %v, want 150ms", d)
		}
		done := c.next("…response.done")
		for _, o := range c.Outputs() {
			heard = append(heard, o.Audio...)
		}
		if !bytes.Equal(heard, realtimetest.GreetingAudio(realtimetest.PCMU)) {
			t.Error("the greeting's audio is not the clip")
		}
		length := time.Duration(len(heard)) * time.Millisecond / 8
		if d := time.Since(start) - 150*time.Millisecond; d < length/9 || d > length/7 {
			t.Errorf("%v of audio took %v, want an eighth", length, d)
		}
		if done["response"].(map[string]any)["status"] != "completed" {
			t.Errorf("response %v", done)
		}
	})
}
