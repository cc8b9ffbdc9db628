package mediastream_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/mediastream"
)

// TestPublishedMessagesOfAllCarriers reads every published message to us.
func TestPublishedMessagesOfAllCarriers(t *testing.T) {
	carriers := map[string]mediastream.Carrier{
		"twilio": mediastream.Twilio, "signalwire": mediastream.SignalWire, "telnyx": mediastream.Telnyx,
		"plivo": mediastream.Plivo, "vonage": mediastream.Vonage, "jambonz": mediastream.Jambonz,
		"asterisk-chan_websocket": mediastream.Asterisk,
	}
	// What is asked of a message, beside its event.
	want := map[string]mediastream.Parsed{
		"telnyx start":         {Event: "start", Stream: "32DE0DEA-53CB-4B21-89A4-9E1819C043BC"},
		"telnyx media":         {Event: "media", Stream: "32DE0DEA-53CB-4B21-89A4-9E1819C043BC", Timestamp: 5, Chunk: 2, BadAudio: true},
		"telnyx dtmf":          {Event: "dtmf", Stream: "32DE0DEA-53CB-4B21-89A4-9E1819C043BC", Digit: "1"},
		"telnyx mark":          {Event: "mark", Stream: "32DE0DEA-53CB-4B21-89A4-9E1819C043BC", Mark: "some_mark_name"},
		"telnyx stop":          {Event: "stop", Stream: "32DE0DEA-53CB-4B21-89A4-9E1819C043BC"},
		"telnyx connected":     {Event: "connected"},
		"telnyx error":         {Event: "fault", Stream: "32DE0DEA-53CB-4B21-89A4-9E1819C043BC"},
		"signalwire connected": {Event: "connected"},
		"signalwire start":     {Event: "start"},
		"signalwire media":     {Event: "media", Chunk: 1, BadAudio: true},
		"signalwire dtmf":      {Event: "dtmf", Stream: "7d56cc11-536d-4a45-b4fb-ed3d55be843b", Digit: "5"},
		"signalwire mark":      {Event: "mark", Stream: "7d56cc11-536d-4a45-b4fb-ed3d55be843b", Mark: "my-custom-mark"},
		"signalwire stop":      {Event: "stop"},
		"plivo start":          {Event: "start"},
		"plivo media":          {Event: "media", Stream: "20170ada-f610-433b-8758-c02a2aab3662", Timestamp: 1705312200000, Chunk: 41, BadAudio: true},
		"plivo dtmf":           {Event: "dtmf", Stream: "20170ada-f610-433b-8758-c02a2aab3662", Digit: "5"},
		"plivo playedStream":   {Event: "mark", Stream: "20170ada-f610-433b-8758-c02a2aab3662", Mark: "customer greeting audio"},
		"plivo clearedAudio":   {Stream: "20170ada-f610-433b-8758-c02a2aab3662"},

		"vonage websocket:connected": {Event: "start"},
		"vonage websocket:dtmf":      {Event: "dtmf", Digit: "5"},
		"vonage websocket:cleared":   {},
		"vonage websocket:notify":    {Event: "mark", Mark: "m7"},

		"jambonz mark":     {Event: "mark", Mark: "chunk-1"},
		"jambonz playDone": {},
		"jambonz dtmf":     {Event: "dtmf", Digit: "5"},

		"asterisk-chan_websocket MEDIA_START":               {Event: "start", Stream: "pbx1-123456789.999"},
		"asterisk-chan_websocket MEDIA_XOFF":                {Event: "pause", Stream: "pbx1-123456789.999"},
		"asterisk-chan_websocket MEDIA_XON":                 {Event: "resume", Stream: "pbx1-123456789.999"},
		"asterisk-chan_websocket QUEUE_DRAINED":             {Stream: "pbx1-123456789.999"},
		"asterisk-chan_websocket DTMF_END":                  {Event: "dtmf", Stream: "pbx1-123456789.999", Digit: "5"},
		"asterisk-chan_websocket MEDIA_MARK_PROCESSED":      {Event: "mark", Stream: "pbx1-123456789.999", Mark: "m12"},
		"asterisk-chan_websocket MEDIA_BUFFERING_COMPLETED": {Stream: "pbx1-123456789.999", Mark: "b1"},
		"asterisk-chan_websocket ERROR":                     {Event: "fault", Stream: "pbx1-123456789.999"},
		"asterisk-chan_websocket STATUS":                    {Event: "status", Stream: "pbx1-123456789.999", Unplayed: 37},
	}
	acceptable := map[string]bool{
		"signalwire": false, // that example is L16 at 24 kHz
		"telnyx":     true, "plivo": true, "asterisk-chan_websocket": true,
		"vonage": false, // and that one at 16 kHz
	}
	seen, starts := map[string]bool{}, map[string]bool{}
	for _, line := range contract.Lines(t, "twilio-messages.jsonl") {
		var example struct {
			Provider, Dir, Raw string
			Message            json.RawMessage
		}
		if err := json.Unmarshal(line, &example); err != nil {
			t.Fatal(err)
		}
		carrier, ok := carriers[example.Provider]
		if !ok || example.Dir != "in" || carrier == mediastream.Twilio { // which has its own test
			continue
		}
		text := []byte(example.Raw)
		name, _, _ := strings.Cut(example.Raw, " ")
		if example.Raw == "" {
			text = example.Message
			var kind struct{ Event, Type string }
			if err := json.Unmarshal(text, &kind); err != nil {
				t.Fatal(err)
			}
			name = kind.Event + kind.Type
		}
		key := example.Provider + " " + name
		seen[key] = true
		got, err := mediastream.ParseFrom(carrier, text)
		expected, known := want[key]
		if got.Audio = nil; !known || err != nil || fmt.Sprint(got) != fmt.Sprint(expected) {
			t.Errorf("%s was read as %+v, %v, want %+v", text, got, err, expected)
		}
		if got.Event == "start" {
			starts[example.Provider] = true
			st, err := mediastream.ReadStartFrom(carrier, text)
			if err != nil || st.Acceptable != acceptable[example.Provider] {
				t.Errorf("%s: %+v, %v", text, st, err)
			}
		}
	}
	for key := range want {
		if !seen[key] {
			t.Errorf("there is no example of %s", key)
		}
	}
	if len(starts) != len(acceptable) {
		t.Errorf("start messages of %v", starts)
	}
}

func TestStartsThatAreNoCall(t *testing.T) {
	for carrier, texts := range map[mediastream.Carrier][]string{
		mediastream.Asterisk: {
			`{"event":"MEDIA_START"}`, "MEDIA_START", `{"event":"MEDIA_START","channel_id":7}`,
			`{"event":"MEDIA_START","channel_id":"1.2","channel_variables":[]}`,
		},
		mediastream.Vonage:  {`{"event":"websocket:connected","content-type":8000}`},
		mediastream.Jambonz: {`{"callSid":7}`, `{"callSid":"1","sampleRate":[]}`},
		mediastream.Plivo:   {`{"event":"start"}`, `{"event":"start","start":{"callId":"1"}}`},
		mediastream.Telnyx:  {`{"event":"start","start":{"call_control_id":"v3:1"}}`},
	} {
		for _, text := range texts {
			if st, err := mediastream.ReadStartFrom(carrier, []byte(text)); err == nil {
				t.Errorf("%s: %s was read as %+v", carrier, text, st)
			}
		}
	}
	for carrier, texts := range map[mediastream.Carrier][]string{ // calls, but in other formats
		mediastream.Asterisk: {
			`{"event":"MEDIA_START","channel_id":"1.2","format":"alaw","optimal_frame_size":160}`,
			`{"event":"MEDIA_START","channel_id":"1.2","format":"ulaw","optimal_frame_size":80}`,
			"MEDIA_START channel_id:1.2 format:slin optimal_frame_size:320",
		},
		mediastream.Vonage:  {`{"event":"websocket:connected","content-type":"audio/l16;rate=16000"}`, `{"event":"websocket:connected"}`},
		mediastream.Jambonz: {`{"callSid":"1","sampleRate":16000}`},
		mediastream.Telnyx:  {`{"event":"start","stream_id":"1","start":{"media_format":{"encoding":"L16","sample_rate":16000,"channels":1}}}`},
	} {
		for _, text := range texts {
			if st, err := mediastream.ReadStartFrom(carrier, []byte(text)); err != nil || st.Acceptable {
				t.Errorf("%s: %s was read as %+v, %v", carrier, text, st, err)
			}
		}
	}
}

// FuzzParseCarriers looks for panics in the dialects that are not Twilio's.
func FuzzParseCarriers(f *testing.F) {
	for i, seed := range []string{
		`STATUS channel_id:1.2 queue_length:37 media_paused:false`, `MEDIA_START channel_id:1.2 format:ulaw optimal_frame_size:160`,
		`{"event":"MEDIA_START","channel_id":"1.2","format":"ulaw","optimal_frame_size":160,"channel_variables":{"a":"b"}}`,
		`{"event":"websocket:notify","payload":{"name":"g1.2"}}`, `{"callSid":"1","sampleRate":8000}`,
		`{"type":"mark","data":{"name":"g1.2","event":"cleared"}}`, `{"event":"dtmf","dtmf":5}`,
		`{"event":"playedStream","name":"p1","extra_headers":"a=b"}`, `{"event":"media","stream_id":"x","media":{"chunk":"7"}}`,
		"", " ", ":", "{", `{"event":"stop"}`, `{"event":"transferred","transfer":{"id":"1"}}`, `{"event":"transfer_failed","transfer":{"id":1,"reason":"\u0000"}}`,
		`{"event":"start","start":{"streamSid":"1","capabilities":["transfer",7]}}`,
	} {
		f.Add(uint8(i), []byte(seed))
	}
	carriers := mediastream.Carriers()
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		carrier := carriers[int(which)%len(carriers)]
		got, err := mediastream.ParseFrom(carrier, text)
		if err != nil {
			return
		}
		if carrier != mediastream.Asterisk && !json.Valid(text) {
			t.Fatalf("%q is not JSON, but was read as %+v", text, got)
		}
		if got.Event == "start" {
			_, _ = mediastream.ReadStartFrom(carrier, text) // must not panic
		}
	})
}
