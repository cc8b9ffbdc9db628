package realtimetest_test

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
)

func truncate(id string, ms int) string {
	return fmt.Sprintf(`{"type":"conversation.item.truncate","event_id":"t1","item_id":"%s","content_index":0,"audio_end_ms":%d}`, id, ms)
}

func TestTruncation(t *testing.T) {
	bubble(t, realtimetest.Config{Voice: realtimetest.Tone(10 * time.Second), Pace: &realtimetest.Pace{}}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw(`,"turn_detection":null`)
		c.send(`{"type":"response.create"}`)
		id := c.next("…response.done")["response"].(map[string]any)["output"].([]any)[0].(map[string]any)["id"].(string)
		c.next("rate_limits.updated")

		if e := c.refused(truncate(id, 10_001), ""); e["message"] != "Audio content of 10000ms is already shorter than 10001ms" || e["event_id"] != "t1" {
			t.Errorf("beyond the end: %v", e)
		}
		if e := c.refused(truncate(id, -11), "integer_below_min_value"); e["message"] != "Invalid 'audio_end_ms': integer below minimum value. Expected a value >= 0, but got -11 instead." {
			t.Errorf("below zero: %v", e)
		}
		c.refused(truncate("item_x", 0), "item_not_found")
		c.refused(fmt.Sprintf(`{"type":"conversation.item.truncate","item_id":"%s","content_index":1,"audio_end_ms":1}`, id), "invalid_value")

		c.send(truncate(id, 4567))
		if m := c.next("conversation.item.truncated"); m["audio_end_ms"] != 4567.0 || m["item_id"] != id || m["content_index"] != 0.0 {
			t.Errorf("truncated: %v", m)
		}
		c.refused(truncate(id, 4568), "")
		c.send(`{"type":"conversation.item.retrieve","item_id":"` + id + `"}`)
		part := c.next("conversation.item.retrieved")["item"].(map[string]any)["content"].([]any)[0].(map[string]any)
		audio, err := base64.StdEncoding.DecodeString(part["audio"].(string))
		if err != nil || len(audio) != 8*4567 || part["transcript"] != nil || part["format"] != "g711_ulaw" {
			t.Errorf("retrieved %d bytes of %v with transcript %v, %v; want 36536 of g711_ulaw without", len(audio), part["format"], part["transcript"], err)
		}
		c.send(truncate(id, 0))
		c.next("conversation.item.truncated")
		if e := c.refused(truncate(id, 0), "unsupported_content_type"); e["message"] != "Only model output audio messages can be truncated" {
			t.Errorf("nothing left: %v", e)
		}

		c.send(`{"type":"conversation.item.create","item":{"id":"mine","type":"message","role":"user","content":[{"type":"input_text","text":"x"}]}}`)
		c.next("conversation.item.added", "conversation.item.done")
		c.refused(truncate("mine", 0), "unsupported_content_type")
		c.send(`{"type":"conversation.item.delete","item_id":"` + id + `"}`)
		c.next("conversation.item.deleted")
		c.refused(truncate(id, 0), "item_not_found")

		type short struct {
			end, sent int
			ok        bool
		}
		want := []short{{10_001, 10_000, false}, {-11, 0, false}, {0, 0, false}, {1, 10_000, false}, {4567, 10_000, true}, {4568, 4567, false}, {0, 4567, true}, {0, 0, false}, {0, 0, false}, {0, 0, false}}
		for i, tr := range c.Truncations() {
			if got := (short{tr.AudioEndMS, tr.SentMS, tr.Error == nil}); i >= len(want) || got != want[i] {
				t.Errorf("truncation %d recorded as %v", i, got)
			}
		}
		if d := c.Deletions(); len(d) != 1 || d[0].ItemID != id || len(c.Truncations()) != len(want) {
			t.Errorf("deletions %v, %d truncations", d, len(c.Truncations()))
		}
		if c.Outputs()[0].ItemID != id || len(c.Outputs()[0].Audio) != 80_000 {
			t.Error("the record of what was sent must outlive truncation and deletion")
		}
	})
}

func TestTruncationKnowsOnlyWhatWasSent(t *testing.T) {
	bubble(t, realtimetest.Config{Voice: realtimetest.Tone(10 * time.Second), Pace: &realtimetest.Pace{Rate: 1}}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw(`,"turn_detection":null`)
		c.send(`{"type":"response.create"}`)
		first := c.next("…response.output_audio.delta")
		id := first["item_id"].(string)
		sent := base64.StdEncoding.DecodedLen(len(first["delta"].(string))) / 8
		c.refused(truncate(id, sent+1), "")
		c.send(truncate(id, sent-20))
		c.next("conversation.item.truncated")
		if v := c.Violations(); len(v) != 1 {
			t.Errorf("violations %v, want the refusal alone", v)
		}
	})
}

func TestTruncatingWhatWasHeardIsAViolation(t *testing.T) {
	bubble(t, realtimetest.Config{Voice: realtimetest.Tone(time.Second)}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw(`,"turn_detection":null`)
		c.send(`{"type":"response.create"}`)
		id := c.next("…response.output_audio.done")["item_id"].(string)
		c.next("…rate_limits.updated")
		c.send(truncate(id, 1000))
		c.next("conversation.item.truncated")
		if v := c.Violations(); len(v) != 1 || v[0].Event != "conversation.item.truncate" {
			t.Errorf("violations %v, want one", v)
		}
	})
}
