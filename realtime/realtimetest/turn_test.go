package realtimetest_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/google/go-cmp/cmp"
)

// count returns how many events of a type there were.
func (c *client) count(eventType string) (n int) {
	for _, e := range c.Events() {
		if e.Type == eventType {
			n++
		}
	}
	return n
}

// TestCreateAndInterrupt speaks once, and again while the answer to the first
// turn is being sent, under each combination.
func TestCreateAndInterrupt(t *testing.T) {
	for _, test := range []struct {
		create, interrupt bool
		responses         int
		first             string // status of the response that was interrupted
	}{
		{true, true, 2, "cancelled"},
		{true, false, 1, "completed"}, // the second turn goes unanswered
		{false, true, 1, "cancelled"},
		{false, false, 1, "completed"},
	} {
		t.Run(fmt.Sprintf("create %v, interrupt %v", test.create, test.interrupt), func(t *testing.T) {
			cfg := realtimetest.Config{Voice: realtimetest.Tone(20 * time.Second), Pace: &realtimetest.Pace{Rate: 2}}
			bubble(t, cfg, func(t *testing.T, b *bench) {
				c := b.ga(t)
				c.ulaw(fmt.Sprintf(`,"turn_detection":{"type":"server_vad","create_response":%v,"interrupt_response":%v}`, test.create, test.interrupt))
				turn := append(speech(400*time.Millisecond), silence(300*time.Millisecond)...)
				c.say(turn)
				c.next("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "…conversation.item.done")
				if !test.create {
					c.quiet(time.Second)
					c.send(`{"type":"response.create"}`)
				}
				c.next("response.created", "…response.output_audio.delta")
				c.say(turn)
				c.next("…input_audio_buffer.speech_started")
				if test.interrupt {
					c.next("…response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done", "response.output_item.done", "conversation.item.done")
					done := c.next("response.done")["response"].(map[string]any)
					details := done["status_details"].(map[string]any)
					if details["reason"] != "turn_detected" || done["output"].([]any)[0].(map[string]any)["status"] != "incomplete" {
						t.Errorf("response %v", done)
					}
				}
				c.next("…input_audio_buffer.speech_stopped")
				time.Sleep(time.Minute)
				if n := c.count("response.created"); n != test.responses {
					t.Errorf("%d responses, want %d", n, test.responses)
				}
				if n := c.count("conversation.item.truncated"); n != 0 {
					t.Error("the server truncated by itself")
				}
				first := c.Outputs()[0]
				if whole := len(first.Audio) == 160_000; whole != (test.first == "completed") {
					t.Errorf("%d bytes of the first answer were sent, want it %s", len(first.Audio), test.first)
				}
			})
		})
	}
}

func TestClockOfTurns(t *testing.T) {
	pcm := func(p []byte) []byte { return realtimetest.Convert(p, realtimetest.PCMU, realtimetest.PCM16) }
	alaw := func(p []byte) []byte { return realtimetest.Convert(p, realtimetest.PCMU, realtimetest.PCMA) }
	same := func(p []byte) []byte { return p }
	tests := map[string]struct {
		format     string
		code       func([]byte) []byte
		detection  string
		start, end float64
	}{
		"µ-law":              {`{"type":"audio/pcmu"}`, same, `{"type":"server_vad","silence_duration_ms":500,"prefix_padding_ms":300}`, 700, 2500},
		"A-law":              {`{"type":"audio/pcma"}`, alaw, `{"type":"server_vad","silence_duration_ms":500,"prefix_padding_ms":300}`, 700, 2500},
		"PCM16":              {`{"type":"audio/pcm","rate":24000}`, pcm, `{"type":"server_vad","silence_duration_ms":500,"prefix_padding_ms":300}`, 700, 2500},
		"no padding":         {`{"type":"audio/pcmu"}`, same, `{"type":"server_vad","silence_duration_ms":500,"prefix_padding_ms":0}`, 1000, 2500},
		"padding to begin":   {`{"type":"audio/pcmu"}`, same, `{"type":"server_vad","silence_duration_ms":500,"prefix_padding_ms":2000}`, 0, 2500},
		"default silence":    {`{"type":"audio/pcmu"}`, same, `{"type":"server_vad"}`, 700, 2200},
		"semantic, eager":    {`{"type":"audio/pcmu"}`, same, `{"type":"semantic_vad","eagerness":"high"}`, 700, 2600},
		"semantic":           {`{"type":"audio/pcmu"}`, same, `{"type":"semantic_vad"}`, 700, 3000},
		"semantic, patient":  {`{"type":"audio/pcmu"}`, same, `{"type":"semantic_vad","eagerness":"low"}`, 700, 4000},
		"deaf as it can get": {`{"type":"audio/pcmu"}`, same, `{"type":"server_vad","threshold":1,"silence_duration_ms":500}`, 700, 2500},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
				c := b.ga(t)
				c.send(update(`"audio":{"input":{"format":` + test.format + `,"turn_detection":` + test.detection + `}}`))
				c.next("session.updated")
				line := test.code(append(append(silence(time.Second), speech(time.Second)...), silence(3*time.Second)...))
				// Appends of any size: the frames of the detector are its own.
				for n := 7; len(line) > 0; n = n%3001 + 334 {
					n := min(n/6*6, len(line))
					c.append(line[:n])
					line = line[n:]
				}
				const tolerance = 40
				started := c.next("input_audio_buffer.speech_started")["audio_start_ms"].(float64)
				stopped := c.next("input_audio_buffer.speech_stopped")["audio_end_ms"].(float64)
				if started < test.start-tolerance || started > test.start+tolerance || stopped < test.end-tolerance || stopped > test.end+tolerance {
					t.Errorf("turn from %v to %v ms, want %v to %v", started, stopped, test.start, test.end)
				}
				synctest.Wait()
				item := c.Items()[0].Content[0]
				if ms := len(item.Audio) / c.Settings().Input.BytesPerMS(); ms != int(stopped-started) {
					t.Errorf("%d ms committed, want the %v of the turn", ms, stopped-started)
				}
			})
		})
	}
}

func TestTurnsByHand(t *testing.T) {
	bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw(`,"turn_detection":null`)
		said := speech(time.Second)
		c.say(append(said, silence(2*time.Second)...))
		c.quiet(time.Second)
		c.send(`{"type":"input_audio_buffer.clear"}`)
		c.next("input_audio_buffer.cleared")
		c.refused(`{"type":"input_audio_buffer.commit"}`, "input_audio_buffer_commit_empty")
		c.append(said[:799])
		e := c.refused(`{"type":"input_audio_buffer.commit"}`, "input_audio_buffer_commit_empty")
		if want := "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has 99.88ms of audio."; e["message"] != want {
			t.Errorf("message %q, want %q", e["message"], want)
		}
		c.append(said[799:])
		c.send(`{"type":"input_audio_buffer.commit"}`)
		c.next("input_audio_buffer.committed", "conversation.item.added", "conversation.item.done")
		c.quiet(time.Second)
		c.send(`{"type":"response.create"}`)
		c.next("response.created", "…response.done")
		if out := c.Outputs(); len(out) != 1 || !bytes.Equal(out[0].Audio, said) {
			t.Error("the parrot did not repeat the committed audio")
		}
	})
}

func TestTheClockOutlivesClearCommitAndFormat(t *testing.T) {
	bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw(`,"turn_detection":{"type":"server_vad","prefix_padding_ms":0,"create_response":false}`)
		c.append(silence(1010 * time.Millisecond)) // half a frame over
		c.send(`{"type":"input_audio_buffer.clear"}`)
		c.next("input_audio_buffer.cleared")
		c.append(append(silence(510*time.Millisecond), speech(500*time.Millisecond)...))
		if ms := c.next("input_audio_buffer.speech_started")["audio_start_ms"].(float64); ms < 1500 || ms > 1540 {
			t.Errorf("speech at %v ms, want 1520", ms)
		}
		c.send(`{"type":"input_audio_buffer.commit"}`) // in the midst of the turn
		c.next("input_audio_buffer.committed", "conversation.item.added", "conversation.item.done")
		c.send(update(`"audio":{"input":{"format":{"type":"audio/pcma"}}}`))
		c.next("session.updated")
		c.append(realtimetest.Convert(append(silence(480*time.Millisecond), speech(500*time.Millisecond)...), realtimetest.PCMU, realtimetest.PCMA))
		if ms := c.next("input_audio_buffer.speech_started")["audio_start_ms"].(float64); ms < 2480 || ms > 2520 {
			t.Errorf("speech at %v ms, want 2500", ms)
		}
	})
}

func TestIdleTimeout(t *testing.T) {
	cfg := realtimetest.Config{Voice: realtimetest.Tone(4 * time.Second), Pace: &realtimetest.Pace{}}
	bubble(t, cfg, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw(`,"turn_detection":{"type":"server_vad","idle_timeout_ms":6000}`)
		c.quiet(time.Minute) // nothing counts before the first response
		c.send(`{"type":"response.create"}`)
		c.next("…response.done", "rate_limits.updated")
		// All of the answer was sent at once; it plays for 4 s.
		line := silence(9 * time.Second)
		c.append(line)
		c.quiet(10*time.Second - time.Millisecond)
		fired := c.next("input_audio_buffer.timeout_triggered")
		if fired["audio_start_ms"] != 3000.0 || fired["audio_end_ms"] != 9000.0 {
			t.Errorf("silence from %v to %v, want 3000 to 9000", fired["audio_start_ms"], fired["audio_end_ms"])
		}
		if m := c.next("input_audio_buffer.committed"); m["item_id"] != fired["item_id"] {
			t.Errorf("committed %v, want %v", m["item_id"], fired["item_id"])
		}
		c.next("conversation.item.added", "conversation.item.done", "response.created", "…response.done", "rate_limits.updated")
		// Speech puts an end to waiting.
		c.append(speech(500 * time.Millisecond))
		c.next("input_audio_buffer.speech_started")
		c.quiet(time.Minute)
	})
}

func TestTranscription(t *testing.T) {
	cfg := realtimetest.Config{Transcribe: func(turn int, _ []byte) string { return fmt.Sprintf("Turn %d.", turn) }}
	bubble(t, cfg, func(t *testing.T, b *bench) {
		c := b.dial(t, nil, "?intent=transcription")
		if s := c.next("session.created")["session"].(map[string]any); s["type"] != "transcription" {
			t.Errorf("session %v", s)
		}
		c.send(`{"type":"session.update","session":{"type":"transcription","audio":{"input":{"format":{"type":"audio/pcmu"},"transcription":{"model":"gpt-transcribe"}}}}}`)
		c.next("session.updated")
		for turn := range 2 {
			c.say(append(speech(400*time.Millisecond), silence(400*time.Millisecond)...))
			c.next("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
				"conversation.item.added", "conversation.item.done",
				"conversation.item.input_audio_transcription.delta", "conversation.item.input_audio_transcription.delta")
			done := c.next("conversation.item.input_audio_transcription.completed")
			if want := fmt.Sprintf("Turn %d.", turn); done["transcript"] != want {
				t.Errorf("transcript %q, want %q", done["transcript"], want)
			}
		}
		c.refused(`{"type":"response.create"}`, "invalid_value")
		if diff := cmp.Diff("Turn 1.", c.Items()[1].Content[0].Text); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAudioComesInAnyForm(t *testing.T) {
	bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw(`,"turn_detection":null`)
		said := speech(200 * time.Millisecond)
		encoded := base64.StdEncoding.EncodeToString(said)
		c.send(`{ "audio": "` + encoded + `", "event_id": "e1", "type": "input_audio_buffer.append" }`)
		c.send(`{"type":"input_audio_buffer.append","audio":"` + strings.ReplaceAll(encoded, "/", `\/`) + `"}`)
		c.send(`{"type":"input_audio_buffer.commit"}`)
		c.next("input_audio_buffer.committed")
		if !bytes.Equal(c.Input(), append(said[:len(said):len(said)], said...)) {
			t.Errorf("%d bytes taken, want twice %d", len(c.Input()), len(said))
		}
		c.next("…conversation.item.done")
		c.send(`{"type":"conversation.item.create","item":{"id":"mine","type":"message","role":"user","content":[{"type":"input_audio","audio":"` + encoded + `","transcript":"Hm."}]}}`)
		c.next("conversation.item.added", "conversation.item.done")
		c.send(`{"type":"conversation.item.retrieve","item_id":"mine"}`)
		part := c.next("conversation.item.retrieved")["item"].(map[string]any)["content"].([]any)[0]
		want := map[string]any{"type": "input_audio", "audio": encoded, "transcript": "Hm.", "format": "g711_ulaw"}
		if diff := cmp.Diff(any(want), part); diff != "" {
			t.Error(diff)
		}
	})
}
