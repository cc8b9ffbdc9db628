package realtimetest_test

import (
	"bytes"
	"encoding/base64"
	"testing"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/google/go-cmp/cmp"
)

func fixed(replies ...realtimetest.Reply) realtimetest.Voice {
	return func(t realtimetest.Turn) realtimetest.Reply { return replies[min(t.Response, len(replies)-1)] }
}

func TestOneResponseAtATime(t *testing.T) {
	bubble(t, realtimetest.Config{Voice: realtimetest.Tone(20 * time.Second)}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw(`,"turn_detection":null`)
		c.send(`{"type":"response.create"}`)
		created := c.next("response.created")["response"].(map[string]any)
		c.refused(`{"type":"response.create"}`, "conversation_already_has_active_response")
		c.refused(`{"type":"response.cancel","response_id":"resp_other"}`, "response_cancel_not_active")

		// Out of band, several may run beside it and leave no trace.
		c.send(`{"type":"response.create","response":{"conversation":"none","output_modalities":["text"],"metadata":{"topic":"summary"},"input":[]}}`)
		beside := c.next("response.created")["response"].(map[string]any)
		if beside["conversation_id"] != nil || beside["metadata"].(map[string]any)["topic"] != "summary" {
			t.Errorf("out-of-band response %v", beside)
		}
		for {
			m := c.next("…response.done")["response"].(map[string]any)
			if m["id"] == beside["id"] {
				break
			}
		}
		c.send(`{"type":"response.cancel"}`)
		done := c.next("…response.done")["response"].(map[string]any)
		if done["id"] != created["id"] || done["status"] != "cancelled" || done["status_details"].(map[string]any)["reason"] != "client_cancelled" {
			t.Errorf("cancelled response %v", done)
		}
		c.next("rate_limits.updated")
		c.refused(`{"type":"response.cancel"}`, "response_cancel_not_active")
		c.quiet(time.Minute)
		if items := c.Items(); len(items) != 1 || items[0].Status != "incomplete" {
			t.Errorf("conversation %v, want the cancelled item alone", items)
		}
		if c.Items()[0].ID != done["output"].([]any)[0].(map[string]any)["id"] {
			t.Error("the response's output is not the conversation's item")
		}
	})
}

// TestAMessageAndAFunctionCall is a tool's round trip: two items in one
// response, their output, the answer.
func TestAMessageAndAFunctionCall(t *testing.T) {
	tone := realtimetest.ToneAudio(realtimetest.PCMU, time.Second)
	cfg := realtimetest.Config{Voice: fixed(
		realtimetest.Reply{Items: []realtimetest.Output{
			{Audio: tone, Text: "One moment."},
			{Call: &realtimetest.Call{ID: "call_1", Name: "get_weather", Arguments: `{"city":"Paris"}`}},
		}},
		realtimetest.Speak(tone, "It is sunny."),
	)}
	bubble(t, cfg, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw("")
		c.send(`{"type":"response.create"}`)
		c.next("response.created", "…response.output_item.done", "conversation.item.done",
			"response.output_item.added", "conversation.item.added",
			"response.function_call_arguments.delta", "response.function_call_arguments.delta", "response.function_call_arguments.done")
		done := c.next("response.output_item.done")
		want := map[string]any{"id": done["item"].(map[string]any)["id"], "object": "realtime.item", "type": "function_call", "status": "completed", "call_id": "call_1", "name": "get_weather", "arguments": `{"city":"Paris"}`}
		if diff := cmp.Diff(want, done["item"]); diff != "" || done["output_index"] != 1.0 {
			t.Errorf("at %v: %s", done["output_index"], diff)
		}
		if r := c.next("…response.done")["response"].(map[string]any); len(r["output"].([]any)) != 2 {
			t.Errorf("response %v, want two items", r)
		}
		c.next("rate_limits.updated")
		c.send(`{"type":"conversation.item.create","item":{"type":"function_call_output","call_id":"call_1","output":"sunny"}}`)
		c.next("conversation.item.added", "conversation.item.done")
		c.send(`{"type":"response.create"}`)
		c.next("response.created", "…response.done")
		kinds := []string{}
		for _, it := range c.Items() {
			kinds = append(kinds, it.Type)
		}
		if diff := cmp.Diff([]string{"message", "function_call", "function_call_output", "message"}, kinds); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEndsOfResponses(t *testing.T) {
	replies := []realtimetest.Reply{
		realtimetest.Fail(realtimetest.RateLimited()),
		{Status: "failed"},
		{Status: "incomplete", Reason: "max_output_tokens", Items: []realtimetest.Output{{Audio: speech(time.Second), Text: "To be"}}},
		{},
		{Latency: time.Second},
		{},
	}
	cfg := realtimetest.Config{Voice: func(t realtimetest.Turn) realtimetest.Reply { return replies[t.Response] }}
	bubble(t, cfg, func(t *testing.T, b *bench) {
		release := make(chan struct{})
		replies[4].Until, replies[5].Until = release, make(chan struct{})
		c := b.ga(t)
		c.ulaw("")
		respond := func() map[string]any {
			c.send(`{"type":"response.create"}`)
			return c.next("…response.done")["response"].(map[string]any)
		}
		r := respond()
		if e := r["status_details"].(map[string]any)["error"].(map[string]any); r["status"] != "failed" || e["code"] != "rate_limit_exceeded" || r["usage"] != nil {
			t.Errorf("rate-limited response %v", r)
		}
		r = respond()
		if e := r["status_details"].(map[string]any)["error"].(map[string]any); r["status"] != "failed" || e["type"] != "server_error" {
			t.Errorf("failed response %v", r)
		}
		r = respond()
		if item := r["output"].([]any)[0].(map[string]any); r["status"] != "incomplete" || r["status_details"].(map[string]any)["reason"] != "max_output_tokens" || item["status"] != "incomplete" {
			t.Errorf("incomplete response %v", r)
		}
		if r = respond(); r["status"] != "completed" || len(r["output"].([]any)) != 0 {
			t.Errorf("empty response %v", r)
		}
		c.next("rate_limits.updated")
		c.send(`{"type":"response.create"}`)
		c.next("response.created")
		c.quiet(time.Minute)
		close(release)
		c.next("response.done", "rate_limits.updated")
		c.send(`{"type":"response.create"}`) // held back for ever: the session's end must not wait for it
		c.next("response.created")
	})
}

func TestTextResponses(t *testing.T) {
	cfg := realtimetest.Config{Voice: fixed(realtimetest.Speak(speech(time.Second), "Some words."))}
	bubble(t, cfg, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw("")
		c.send(update(`"output_modalities":["text"]`))
		c.next("session.updated")
		c.send(`{"type":"response.create"}`)
		c.next("response.created", "response.output_item.added", "conversation.item.added", "response.content_part.added",
			"response.output_text.delta", "response.output_text.delta")
		if m := c.next("response.output_text.done"); m["text"] != "Some words." {
			t.Errorf("text %q", m["text"])
		}
		c.next("response.content_part.done", "response.output_item.done", "conversation.item.done", "response.done", "rate_limits.updated")
		c.send(`{"type":"response.create","response":{"output_modalities":["audio"],"audio":{"output":{"format":{"type":"audio/pcma"},"voice":"cedar"}},"max_output_tokens":7}}`)
		r := c.next("response.created")["response"].(map[string]any)
		want := map[string]any{"output": map[string]any{"format": map[string]any{"type": "audio/pcma"}, "voice": "cedar"}}
		if diff := cmp.Diff(want, r["audio"]); diff != "" || r["max_output_tokens"] != 7.0 {
			t.Errorf("max_output_tokens %v, %s", r["max_output_tokens"], diff)
		}
		c.next("…response.output_audio.delta")
	})
}

func TestUsage(t *testing.T) {
	cfg := realtimetest.Config{Voice: fixed(realtimetest.Speak(speech(time.Second), "Some words.")), Pace: &realtimetest.Pace{}}
	bubble(t, cfg, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw(`,"turn_detection":null`)
		c.send(update(`"instructions":"` + string(bytes.Repeat([]byte("word"), 50)) + `"`))
		c.next("session.updated")
		usage := func() any {
			c.send(`{"type":"response.create"}`)
			return c.next("…response.done")["response"].(map[string]any)["usage"]
		}
		c.append(speech(time.Second))
		c.send(`{"type":"input_audio_buffer.commit"}`)
		want := func(in, out [2]float64, cached float64) any {
			return map[string]any{
				"total_tokens": in[0] + in[1] + out[0] + out[1], "input_tokens": in[0] + in[1], "output_tokens": out[0] + out[1],
				"input_token_details": map[string]any{
					"text_tokens": in[0], "audio_tokens": in[1], "image_tokens": 0.0, "cached_tokens": cached,
					"cached_tokens_details": map[string]any{"text_tokens": min(cached, in[0]), "audio_tokens": max(0, cached-in[0]), "image_tokens": 0.0},
				},
				"output_token_details": map[string]any{"text_tokens": out[0], "audio_tokens": out[1]},
			}
		}
		// 50 tokens of instructions, a second heard (10), a second spoken (20) with 3 of text.
		if diff := cmp.Diff(want([2]float64{50, 10}, [2]float64{3, 20}, 0), usage()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(want([2]float64{53, 30}, [2]float64{3, 20}, 0), usage()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(want([2]float64{56, 50}, [2]float64{3, 20}, 64), usage()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDeltasAreRagged(t *testing.T) {
	tone := realtimetest.ToneAudio(realtimetest.PCMU, 30*time.Second)
	paces := map[string]struct {
		pace              realtimetest.Pace
		shortest, longest int
		took              time.Duration
	}{
		"default":  {realtimetest.DefaultPace(), 1600, 3201, 30 * time.Second / 8},
		"at once":  {realtimetest.Pace{}, 1600, 3201, 0},
		"one size": {realtimetest.Pace{Rate: 1, Shortest: 20 * time.Millisecond, Longest: 20 * time.Millisecond}, 160, 160, 30 * time.Second},
	}
	for name, test := range paces {
		t.Run(name, func(t *testing.T) {
			bubble(t, realtimetest.Config{Pace: &test.pace, Voice: fixed(realtimetest.Speak(tone, "x"))}, func(t *testing.T, b *bench) {
				c := b.ga(t)
				c.ulaw("")
				start := time.Now()
				c.send(`{"type":"response.create"}`)
				var got []byte
				for len(got) < len(tone) {
					encoded := c.next("…response.output_audio.delta")["delta"].(string)
					p, err := base64.StdEncoding.DecodeString(encoded)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, p...)
					if n := len(p); len(got) < len(tone) && (n < test.shortest || n > test.longest || name != "one size" && n%160 == 0) {
						t.Errorf("a delta of %d bytes", n)
					}
				}
				if !bytes.Equal(got, tone) {
					t.Error("the deltas are not the tone")
				}
				if d := time.Since(start) - test.pace.Latency; d > test.took || d < test.took-500*time.Millisecond {
					t.Errorf("took %v, want %v less the last delta", d, test.took)
				}
			})
		})
	}
}
