package realtime_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/realtime"
)

// The published events that this package has no struct for.
var passedOver = map[string]bool{
	"conversation.created":                                true,
	"conversation.item.input_audio_transcription.segment": true,
	"response.content_part.added":                         true,
	"response.content_part.done":                          true,
	"response.function_call_arguments.delta":              true,
	"output_audio_buffer.started":                         true,
	"output_audio_buffer.stopped":                         true,
	"output_audio_buffer.cleared":                         true,
	"transcription_session.updated":                       true,
}

func TestEveryPublishedServerEventIsDecoded(t *testing.T) {
	seen := 0
	for _, line := range contract.Lines(t, "realtime-examples.jsonl") {
		var example struct {
			Dir     string
			Message json.RawMessage
		}
		if err := json.Unmarshal(line, &example); err != nil {
			t.Fatal(err)
		}
		if example.Dir != "server" {
			continue
		}
		seen++
		var head struct{ Type string }
		if err := json.Unmarshal(example.Message, &head); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(head.Type, "audio.delta") {
			var d realtime.DeltaDecoder
			msg := strings.ReplaceAll(string(example.Message), "Base64EncodedAudioDelta", "AQID")
			if got, err := d.Decode([]byte(msg)); err != nil || len(got.Audio) == 0 || string(got.ItemID) != "msg_008" {
				t.Errorf("%s: %+v, %v", msg, got, err)
			}
			continue
		}
		event, err := realtime.Decode(example.Message)
		if err != nil {
			t.Errorf("%s: %v", example.Message, err)
		}
		if _, unknown := event.(realtime.Unknown); unknown != passedOver[head.Type] {
			t.Errorf("%s: decoded as %T", head.Type, event)
		}
	}
	if seen < 70 {
		t.Errorf("only %d examples", seen)
	}
}

func TestEveryCapturedErrorIsDecodedAndClassified(t *testing.T) {
	fatal := map[string]bool{
		"beta_api_shape_disabled": true, "invalid_api_key": true, "missing_model": true, "invalid_model": true,
		"model_not_found": true, "session_expired": true,
	}
	benign := map[string]bool{
		"": true, "unsupported_content_type": true, "response_cancel_not_active": true, "input_audio_buffer_commit_empty": true,
	}
	seen := 0
	for _, line := range contract.Lines(t, "realtime-captured-errors.jsonl") {
		var capture struct {
			Message json.RawMessage
			Close   *struct{ Code int }
		}
		if err := json.Unmarshal(line, &capture); err != nil {
			t.Fatal(err)
		}
		seen++
		event, err := realtime.Decode(capture.Message)
		e, ok := event.(realtime.ErrorEvent)
		if err != nil || !ok || e.Error.Message == "" {
			t.Errorf("%s: decoded as %+v, %v", capture.Message, event, err)
			continue
		}
		want := realtime.Recoverable
		switch {
		case fatal[e.Error.Code]:
			want = realtime.Fatal
		case benign[e.Error.Code]:
			want = realtime.Benign
		}
		if got := e.Error.Kind(); got != want {
			t.Errorf("%v is %v, want %v", e.Error, got, want)
		}
		if closes := capture.Close != nil; closes != (want == realtime.Fatal) {
			t.Errorf("%v is %v, but its capture says that the server closed: %v", e.Error, want, closes)
		}
	}
	if seen != 17 {
		t.Errorf("%d captures", seen)
	}
}

func TestDecode(t *testing.T) {
	ref := realtime.ContentRef{ResponseID: "r", ItemID: "i", OutputIndex: 1, ContentIndex: 2}
	const where = `"response_id":"r","item_id":"i","output_index":1,"content_index":2`
	for _, c := range []struct {
		name, msg string
		want      realtime.Event
		faulty    bool
	}{
		{
			"names of GA", `{"type":"response.output_audio.done",` + where + `}`,
			realtime.AudioDone{ContentRef: ref},
			false,
		},
		{
			"names of Beta", `{"type":"response.audio.done",` + where + `}`,
			realtime.AudioDone{ContentRef: ref},
			false,
		},
		{
			"nulls and strangers", `{"type":"response.audio_transcript.delta",` + where + `,"delta":"a\u00fc","obfuscation":"x","transcript":null,"response":null}`,
			realtime.TranscriptDelta{ContentRef: ref, Delta: "aü"},
			false,
		},
		{
			"content of Beta",
			`{"type":"conversation.item.created","previous_item_id":null,"item":{"id":"i","type":"message","role":"assistant","content":[{"type":"audio","transcript":"Hi"},{"type":"text","text":"Ho"}]}}`,
			realtime.ItemAdded{Item: realtime.Item{
				ID: "i", Type: "message", Role: "assistant",
				Content: []realtime.Content{{Type: "output_audio", Transcript: "Hi"}, {Type: "output_text", Text: "Ho"}},
			}},
			false,
		},
		{
			"a space before the type", `{"type":" input_audio_buffer.dtmf_event_received","event":"9"}`,
			realtime.DTMFReceived{Digit: "9"},
			false,
		},
		{
			"a cancelled response", `{"type":"response.done","response":{"id":"r","status":"cancelled","status_details":{"type":"cancelled","reason":"turn_detected"},"usage":null,"metadata":null,"output":null}}`,
			realtime.ResponseDone{Response: realtime.Response{
				ID: "r", Status: "cancelled", StatusDetails: &realtime.StatusDetails{Type: "cancelled", Reason: "turn_detected"},
			}},
			false,
		},
		{
			"a member of the wrong type costs that member only", `{"type":"response.done","response":{"id":"r","usage":{"total_tokens":1.5},"status":"completed"}}`,
			realtime.ResponseDone{Response: realtime.Response{ID: "r", Status: "completed", Usage: &realtime.Usage{}}},
			true,
		},
		{
			"an unknown type", `{"type":"response.dreamt","x":1}`,
			realtime.Unknown{Type: "response.dreamt", Raw: json.RawMessage(`{"type":"response.dreamt","x":1}`)},
			false,
		},
		{"no type", `{}`, realtime.Unknown{Raw: json.RawMessage(`{}`)}, false},
		{"an array", `[1]`, realtime.Unknown{Raw: json.RawMessage(`[1]`)}, true},
		{"half a message", `{"type":"error","err`, realtime.Unknown{Raw: json.RawMessage(`{"type":"error","err`)}, true},
		{"nothing", ``, realtime.Unknown{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := realtime.Decode([]byte(c.msg))
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(realtime.Unknown{}, "Err"), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (err != nil) != c.faulty {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestEffectiveSessionIsReadInEitherShape(t *testing.T) {
	for _, c := range []struct {
		name, session string
		in, out       realtime.AudioFormat
	}{
		{"nested", `{"audio":{"input":{"format":{"type":"audio/pcmu"}},"output":{"format":{"type":"audio/pcm","rate":24000}}}}`, "g711_ulaw", "pcm16"},
		{"nested, with rate", `{"audio":{"input":{"format":{"type":"audio/pcma","rate":8000}}}}`, "g711_alaw", ""},
		{"flat", `{"input_audio_format":"g711_ulaw","output_audio_format":"pcm16"}`, "g711_ulaw", "pcm16"},
		{"another rate", `{"audio":{"output":{"format":{"type":"audio/pcm","rate":16000}}}}`, "", "audio/pcm at 16000 Hz"},
		{"another type", `{"audio":{"input":{"format":{"type":"audio/opus"}}}}`, "audio/opus", ""},
		{"members of other types", `{"id":1,"audio":"none","input_audio_format":"g711_ulaw"}`, "g711_ulaw", ""},
		{"null", `null`, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			event, err := realtime.Decode([]byte(`{"type":"session.updated","session":` + c.session + `}`))
			if err != nil {
				t.Fatal(err)
			}
			got := event.(realtime.SessionUpdated).Session
			if got.Input != c.in || got.Output != c.out || string(got.Raw) != c.session {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestDeltaDecoder(t *testing.T) {
	const whole = `{"type":"response.audio.delta","response_id":"r","item_id":"i","content_index":3,"delta":"`
	for _, c := range []struct{ name, msg, want string }{
		{"plain", whole + `aGVsbG8="}`, "r i 3 hello"},
		{"empty", whole + `"}`, "r i 3 "},
		{"escaped", whole + `\/\/8="}`, "r i 3 \xff\xff"},
		{"null members", `{"response_id":null,"item_id":null,"content_index":null,"delta":null}`, "  0 "},
		{"not base64", whole + `!"}`, ""},
		{"cut off", whole + `aGVs`, ""},
		{"of another type", `{"delta":7}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d realtime.DeltaDecoder
			got, err := d.Decode([]byte(c.msg))
			if c.want == "" {
				if err == nil {
					t.Errorf("accepted as %+v", got)
				}
				return
			}
			text := string(got.ResponseID) + " " + string(got.ItemID) + " " + string(rune('0'+got.ContentIndex)) + " " + string(got.Audio)
			if err != nil || text != c.want {
				t.Errorf("got %q, %v; want %q", text, err, c.want)
			}
		})
	}
}

// FuzzReceive puts arbitrary messages through a session: whatever comes, it is
// handed on as something, and the session goes on.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(`{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"aGVsbG8="}`))
	f.Add([]byte(`{"type":"response.audio.delta","delta":"\/\/8="}`))
	f.Add([]byte(`{"type":"response.done","response":{"id":"r","status":"failed","status_details":{"error":{"code":"x"}}}}`))
	f.Add([]byte(`{"type":"error","error":{"code":null,"message":"m","event_id":"response.create#1"}}`))
	f.Add([]byte(`{"type":"session.updated","session":{"audio":{"input":{"format":{"type":"audio/pcmu"}}}}}`))
	f.Add([]byte(`{"type":"conversation.item.retrieved","item":{"id":"i","content":[{"type":"audio"}]}}`))
	f.Add([]byte("\x00{"))
	f.Add([]byte(`{"type":"conversation.item.added","item":{"id":"i","type":"message","role":"assistant"}}
{"type":"response.output_audio_transcript.delta","item_id":"i","content_index":-1,"delta":"Hello there."}
{"type":"response.output_audio.delta","item_id":"i","delta":"aGVsbG8="}
{"type":"conversation.item.deleted","item_id":"i"}`))
	f.Add([]byte(`{"type":"input_audio_buffer.speech_started","item_id":"u","audio_start_ms":9223372036854775807}
{"type":"input_audio_buffer.speech_stopped","item_id":"u","audio_end_ms":-5}
{"type":"input_audio_buffer.committed","item_id":"u","previous_item_id":"u"}
{"type":"conversation.item.input_audio_transcription.completed","item_id":"u","content_index":1000000,"transcript":"x"}`))
	f.Fuzz(func(t *testing.T, msg []byte) {
		s, err := realtime.NewSession(realtime.Config{
			Providers: []realtime.Provider{{BaseURL: "ws://localhost"}}, Handler: counter{t},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Respond(realtime.ResponseRequest{}); err != nil {
			t.Fatal(err)
		}
		s.Append([]byte("some audio"))
		lines := bytes.Split(msg, []byte("\n"))
		for _, line := range lines {
			s.Receive(line)
		}
		if stats := s.Stats(); stats.Deltas+stats.EventsIn != int64(len(lines)) {
			t.Errorf("stats = %+v", stats)
		}
		if err := s.Truncate("i", 0, time.Millisecond); err != nil {
			t.Error(err)
		}
		for _, e := range s.History() {
			if !strings.HasPrefix(e.Generated, e.Heard) {
				t.Errorf("heard %q of %q", e.Heard, e.Generated)
			}
		}
		s.Close()
	})
}

type counter struct{ t *testing.T }

func (c counter) Audio(d realtime.AudioDelta) {}

func (c counter) Event(e realtime.Event) {
	if u, ok := e.(realtime.Unknown); ok && u.Err != nil && json.Valid(u.Raw) && strings.HasPrefix(u.Type, "session.") {
		c.t.Errorf("a session event was not decoded: %v", u.Err)
	}
}
