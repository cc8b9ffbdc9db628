package realtimetest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
)

// update wraps members of a GA session.
func update(session string) string {
	return `{"type":"session.update","event_id":"e1","session":{"type":"realtime",` + session + `}}`
}

func betaUpdate(session string) string {
	return `{"type":"session.update","event_id":"e1","session":{` + session + `}}`
}

// pairs are n members of an object.
func pairs(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"k%d":"v"`, i))
	}
	return strings.Join(all, ",")
}

type refusal struct{ message, code, param string }

func TestRefusedEvents(t *testing.T) {
	common := map[string]refusal{
		"not JSON":                   {`{"type":`, "invalid_json", ""},
		"two values":                 {`{"type":"x"} {}`, "invalid_json", ""},
		"not an object":              {`[1]`, "invalid_event", ""},
		"no type":                    {`{"event_id":"e1"}`, "invalid_event", ""},
		"type is no string":          {`{"type":7,"event_id":"e1"}`, "invalid_event", ""},
		"unknown type":               {`{"type":"scooby.dooby.doo","event_id":"e1"}`, "invalid_value", "type"},
		"unknown member":             {`{"type":"input_audio_buffer.clear","event_id":"e1","x":1}`, "unknown_parameter", "x"},
		"event id too long":          {`{"type":"input_audio_buffer.clear","event_id":"` + strings.Repeat("e", 513) + `"}`, "string_above_max_length", "event_id"},
		"event id is no string":      {`{"type":"input_audio_buffer.clear","event_id":1}`, "invalid_type", "event_id"},
		"append without audio":       {`{"type":"input_audio_buffer.append","event_id":"e1"}`, "missing_required_parameter", "audio"},
		"append of no string":        {`{"type":"input_audio_buffer.append","event_id":"e1","audio":null}`, "invalid_type", "audio"},
		"append of bad base64":       {`{"type":"input_audio_buffer.append","audio":"!!!"}`, "invalid_value", "audio.audio"},
		"append without padding":     {`{"type":"input_audio_buffer.append","audio":"AAA"}`, "invalid_value", "audio.audio"},
		"append with trailing bits":  {`{"type":"input_audio_buffer.append","audio":"AAF="}`, "invalid_value", "audio.audio"},
		"append of URL base64":       {`{"type":"input_audio_buffer.append","audio":"__--"}`, "invalid_value", "audio.audio"},
		"append of half a sample":    {`{"type":"input_audio_buffer.append","audio":"AA=="}`, "invalid_value", "audio.audio"},
		"empty commit":               {`{"type":"input_audio_buffer.commit","event_id":"e1"}`, "input_audio_buffer_commit_empty", ""},
		"output buffer":              {`{"type":"output_audio_buffer.clear","event_id":"e1"}`, "invalid_value", "type"},
		"cancel of nothing":          {`{"type":"response.cancel","event_id":"e1"}`, "response_cancel_not_active", ""},
		"cancel of another":          {`{"type":"response.cancel","event_id":"e1","response_id":"resp_x"}`, "response_cancel_not_active", ""},
		"delete of no item":          {`{"type":"conversation.item.delete","event_id":"e1","item_id":"x"}`, "item_not_found", "item_id"},
		"retrieve of no item":        {`{"type":"conversation.item.retrieve","event_id":"e1","item_id":"x"}`, "item_not_found", "item_id"},
		"retrieve without id":        {`{"type":"conversation.item.retrieve","event_id":"e1"}`, "missing_required_parameter", "item_id"},
		"truncate of no item":        {`{"type":"conversation.item.truncate","event_id":"e1","item_id":"x","content_index":0,"audio_end_ms":0}`, "item_not_found", "item_id"},
		"truncate below zero":        {`{"type":"conversation.item.truncate","event_id":"e1","item_id":"x","content_index":0,"audio_end_ms":-11}`, "integer_below_min_value", "audio_end_ms"},
		"truncate at a fraction":     {`{"type":"conversation.item.truncate","event_id":"e1","item_id":"x","content_index":0,"audio_end_ms":1.5}`, "invalid_type", "audio_end_ms"},
		"truncate without a place":   {`{"type":"conversation.item.truncate","event_id":"e1","item_id":"x","audio_end_ms":1}`, "missing_required_parameter", "content_index"},
		"item of unknown type":       {`{"type":"conversation.item.create","event_id":"e1","item":{"type":"poem"}}`, "invalid_value", "item.type"},
		"message of unknown role":    {`{"type":"conversation.item.create","event_id":"e1","item":{"type":"message","role":"boss","content":[]}}`, "invalid_value", "item.role"},
		"item id too long":           {`{"type":"conversation.item.create","event_id":"e1","item":{"id":"` + strings.Repeat("i", 33) + `","type":"message","role":"user","content":[]}}`, "string_above_max_length", "item.id"},
		"system audio":               {`{"type":"conversation.item.create","event_id":"e1","item":{"type":"message","role":"system","content":[{"type":"input_audio","audio":""}]}}`, "invalid_value", "item.content[0].type"},
		"user audio of bad base64":   {`{"type":"conversation.item.create","event_id":"e1","item":{"type":"message","role":"user","content":[{"type":"input_audio","audio":"?"}]}}`, "invalid_value", "item.content"},
		"item after no item":         {`{"type":"conversation.item.create","event_id":"e1","previous_item_id":"x","item":{"type":"message","role":"user","content":[]}}`, "item_not_found", "previous_item_id"},
		"output of no call":          {`{"type":"conversation.item.create","event_id":"e1","item":{"type":"function_call_output","call_id":"x","output":""}}`, "invalid_tool_call_id", "item.call_id"},
		"output that is no string":   {`{"type":"conversation.item.create","event_id":"e1","item":{"type":"function_call_output","call_id":"x","output":{}}}`, "invalid_type", "item.output"},
		"response of unknown member": {`{"type":"response.create","event_id":"e1","response":{"x":1}}`, "unknown_parameter", "response.x"},
		"response elsewhere":         {`{"type":"response.create","event_id":"e1","response":{"conversation":"conv_1"}}`, "invalid_value", "response.conversation"},
		"response about no item":     {`{"type":"response.create","event_id":"e1","response":{"input":[{"type":"item_reference","id":"x"}]}}`, "item_not_found", "response.input"},
		"response of null":           {`{"type":"response.create","event_id":"e1","response":null}`, "invalid_type", "response"},
		"metadata too long":          {`{"type":"response.create","event_id":"e1","response":{"metadata":{"k":"` + strings.Repeat("v", 513) + `"}}}`, "string_above_max_length", "response.metadata.k"},
		"too much metadata":          {`{"type":"response.create","event_id":"e1","response":{"metadata":{` + pairs(17) + `}}}`, "invalid_value", "response.metadata"},
		"session missing":            {`{"type":"session.update","event_id":"e1"}`, "missing_required_parameter", "session"},
	}
	ga := map[string]refusal{
		"no session type":          {`{"type":"session.update","event_id":"e1","session":{"instructions":"x"}}`, "missing_required_parameter", "session.type"},
		"unknown session type":     {`{"type":"session.update","event_id":"e1","session":{"type":"live"}}`, "invalid_value", "session.type"},
		"other session type":       {`{"type":"session.update","event_id":"e1","session":{"type":"transcription"}}`, "invalid_value", "session.type"},
		"flat Beta member":         {update(`"input_audio_format":"g711_ulaw"`), "unknown_parameter", "session.input_audio_format"},
		"temperature":              {update(`"temperature":0.8`), "unknown_parameter", "session.temperature"},
		"Beta format in GA":        {update(`"audio":{"input":{"format":{"type":"g711_ulaw"}}}`), "invalid_value", "session.audio.input.format.type"},
		"format as a string":       {update(`"audio":{"input":{"format":"audio/pcmu"}}`), "invalid_type", "session.audio.input.format"},
		"rate of G.711":            {update(`"audio":{"input":{"format":{"type":"audio/pcmu","rate":8000}}}`), "unknown_parameter", "session.audio.input.format.rate"},
		"rate of PCM":              {update(`"audio":{"output":{"format":{"type":"audio/pcm","rate":16000}}}`), "integer_below_min_value", "session.audio.output.format.rate"},
		"both modalities":          {update(`"output_modalities":["text","audio"]`), "invalid_value", "session.output_modalities"},
		"unknown modality":         {update(`"output_modalities":["video"]`), "invalid_value", "session.output_modalities[0]"},
		"another model":            {update(`"model":"other"`), "invalid_value", "session.model"},
		"threshold":                {update(`"audio":{"input":{"turn_detection":{"type":"server_vad","threshold":1.5}}}`), "decimal_above_max_value", "session.audio.input.turn_detection.threshold"},
		"detection without type":   {update(`"audio":{"input":{"turn_detection":{"threshold":0.5}}}`), "missing_required_parameter", "session.audio.input.turn_detection.type"},
		"detection of none":        {update(`"audio":{"input":{"turn_detection":{"type":"none"}}}`), "invalid_value", "session.audio.input.turn_detection.type"},
		"eagerness of server VAD":  {update(`"audio":{"input":{"turn_detection":{"type":"server_vad","eagerness":"low"}}}`), "unknown_parameter", "session.audio.input.turn_detection.eagerness"},
		"threshold of semantic":    {update(`"audio":{"input":{"turn_detection":{"type":"semantic_vad","threshold":0.5}}}`), "unknown_parameter", "session.audio.input.turn_detection.threshold"},
		"short idle time-out":      {update(`"audio":{"input":{"turn_detection":{"type":"server_vad","idle_timeout_ms":4999}}}`), "integer_below_min_value", "session.audio.input.turn_detection.idle_timeout_ms"},
		"speed":                    {update(`"audio":{"output":{"speed":1.6}}`), "decimal_above_max_value", "session.audio.output.speed"},
		"stray member of a tool":   {update(`"tools":[{"type":"function","name":"f","meta":{}}]`), "unknown_parameter", "session.tools[0].meta"},
		"nested function":          {update(`"tools":[{"type":"function","function":{"name":"f"}}]`), "unknown_parameter", "session.tools[0].function"},
		"tool choice":              {update(`"tool_choice":"f"`), "invalid_value", "session.tool_choice"},
		"too many tokens":          {update(`"max_output_tokens":4097`), "integer_above_max_value", "session.max_output_tokens"},
		"infinite tokens":          {update(`"max_output_tokens":"infinite"`), "invalid_value", "session.max_output_tokens"},
		"effort":                   {update(`"reasoning":{"effort":"none"}`), "invalid_value", "session.reasoning.effort"},
		"assistant audio history":  {`{"type":"conversation.item.create","event_id":"e1","item":{"type":"message","role":"assistant","content":[{"type":"output_audio","audio":""}]}}`, "invalid_value", "item.content[0].type"},
		"Beta members of response": {`{"type":"response.create","event_id":"e1","response":{"modalities":["text","audio"]}}`, "unknown_parameter", "response.modalities"},
		"transcription update":     {`{"type":"transcription_session.update","event_id":"e1","session":{}}`, "invalid_value", "type"},
	}
	beta := map[string]refusal{
		"GA session":         {betaUpdate(`"type":"realtime"`), "unknown_parameter", "session.type"},
		"nested audio":       {betaUpdate(`"audio":{}`), "unknown_parameter", "session.audio"},
		"GA format":          {betaUpdate(`"input_audio_format":"audio/pcmu"`), "invalid_value", "session.input_audio_format"},
		"audio alone":        {betaUpdate(`"modalities":["audio"]`), "invalid_value", "session.modalities"},
		"too cold":           {betaUpdate(`"temperature":0.5`), "decimal_below_min_value", "session.temperature"},
		"too hot":            {betaUpdate(`"temperature":1.3`), "decimal_above_max_value", "session.temperature"},
		"idle time-out":      {betaUpdate(`"turn_detection":{"type":"server_vad","idle_timeout_ms":6000}`), "unknown_parameter", "session.turn_detection.idle_timeout_ms"},
		"transcription":      {betaUpdate(`"input_audio_transcription":{"enabled":true}`), "unknown_parameter", "session.input_audio_transcription.enabled"},
		"GA assistant text":  {`{"type":"conversation.item.create","event_id":"e1","item":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"x"}]}}`, "invalid_value", "item.content[0].type"},
		"image":              {`{"type":"conversation.item.create","event_id":"e1","item":{"type":"message","role":"user","content":[{"type":"input_image","image_url":"x"}]}}`, "invalid_value", "item.content[0].type"},
		"GA response":        {`{"type":"response.create","event_id":"e1","response":{"output_modalities":["text"]}}`, "unknown_parameter", "response.output_modalities"},
		"another preference": {betaUpdate(`"model":"other"`), "invalid_value", "session.model"},
	}
	check := func(t *testing.T, c *client, tables ...map[string]refusal) {
		before := c.Settings()
		for _, table := range tables {
			for name, test := range table {
				e := c.refused(test.message, test.code)
				param, _ := e["param"].(string)
				if param != test.param {
					t.Errorf("%s: param %q, want %q (%v)", name, param, test.param, e["message"])
				}
				if strings.Contains(test.message, `"e1"`) && e["event_id"] != "e1" {
					t.Errorf("%s: error for event %v, want e1", name, e["event_id"])
				}
			}
		}
		if diff := cmp.Diff(before, c.Settings(), cmp.AllowUnexported(realtimetest.Settings{})); diff != "" {
			t.Errorf("refused updates changed the session: %s", diff)
		}
		if len(c.Items()) != 0 {
			t.Errorf("refused events left items: %v", c.Items())
		}
	}
	bubble(t, realtimetest.Config{Dialects: realtimetest.Both}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		check(t, c, common, ga)
		if got, want := len(c.Violations()), len(common)+len(ga); got != want {
			t.Errorf("%d violations recorded, want %d", got, want)
		}
		if err := c.conn.WriteMessage(websocket.BinaryMessage, []byte(`{"type":"input_audio_buffer.clear"}`)); err != nil {
			t.Fatal(err)
		}
		if e := c.next("error")["error"].(map[string]any); e["code"] != "invalid_event" {
			t.Errorf("binary message: %v", e)
		}
		c.ulaw("") // the session lives on
		check(t, b.beta(t), common, beta)
	})
}

func TestAppendsAreLimited(t *testing.T) {
	if testing.Short() {
		t.Skip("20 MB of JSON take seconds under the race detector")
	}
	bubble(t, realtimetest.Config{}, func(t *testing.T, b *bench) {
		c := b.ga(t)
		c.ulaw(`,"turn_detection":null`)
		c.refused(`{"type":"input_audio_buffer.append","audio":"`+base64.StdEncoding.EncodeToString(make([]byte, 15<<20+1))+`"}`, "invalid_value")
		if n := c.InputBytes(); n != 0 {
			t.Errorf("%d bytes of a refused append were taken", n)
		}
	})
}

// TestPublishedExamples sends every example of a client event, each in a
// session of its own. All are taken but those that refer to what is not there,
// have words where audio belongs, or are faulty on purpose.
func TestPublishedExamples(t *testing.T) {
	got := map[string]int{}
	for _, line := range contract.Lines(t, "realtime-examples.jsonl") {
		var example struct {
			Dir, Dialect string
			Message      json.RawMessage
		}
		if err := json.Unmarshal(line, &example); err != nil {
			t.Fatal(err)
		}
		if example.Dir != "client" {
			continue
		}
		bubble(t, realtimetest.Config{Dialects: realtimetest.Both, Pace: &realtimetest.Pace{}}, func(t *testing.T, b *bench) {
			dial := b.ga
			if example.Dialect == "beta" {
				dial = b.beta
			}
			c := dial(t)
			c.send(string(example.Message))
			synctest.Wait()
			name, code := c.Events()[0].Type, "taken"
			for _, e := range c.Events() {
				if !e.Sent {
					name = e.Type
				}
				if e.Type == "error" {
					var m struct{ Error struct{ Code string } }
					if err := json.Unmarshal(e.Raw, &m); err != nil {
						t.Fatal(err)
					}
					code = m.Error.Code
				}
			}
			got[name+" "+code]++
		})
	}
	want := map[string]int{
		"conversation.item.create invalid_tool_call_id":             2,
		"conversation.item.create invalid_value":                    1,
		"conversation.item.create taken":                            5,
		"conversation.item.delete item_not_found":                   2,
		"conversation.item.retrieve item_not_found":                 2,
		"conversation.item.truncate item_not_found":                 3,
		"input_audio_buffer.append invalid_value":                   2,
		"input_audio_buffer.clear taken":                            2,
		"input_audio_buffer.commit input_audio_buffer_commit_empty": 3,
		"output_audio_buffer.clear invalid_value":                   2,
		"response.cancel response_cancel_not_active":                2,
		"response.create item_not_found":                            2,
		"response.create taken":                                     6,
		"scooby.dooby.doo invalid_value":                            1,
		"session.update missing_required_parameter":                 1,
		"session.update taken":                                      9,
		"transcription_session.update taken":                        1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
