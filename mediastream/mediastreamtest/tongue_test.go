package mediastreamtest_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/internal/contract"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// TestEveryCarrierIsStrict shows each carrier what it must not be sent.
func TestEveryCarrierIsStrict(t *testing.T) {
	const text, binary = websocket.TextMessage, websocket.BinaryMessage
	frame := func(n int) string { return strings.Repeat("\xFF", n) }
	pcm := func(n int) string { return strings.Repeat("\x00\x00", n) }
	payload := func(n int) string { return strings.Repeat("////", n/3+1)[:n/3*4] }
	type sent struct {
		kind  int
		text  string
		event string // "": a breach
	}
	for carrier, messages := range map[mediastream.Carrier][]sent{
		mediastream.Telnyx: {
			{text, `{"event":"media","media":{"payload":"` + payload(480) + `"}}`, "media"},
			{text, `{"event":"media","media":{"payload":"` + payload(159) + `"}}`, ""}, // less than 20 ms
			{text, `{"event":"media","stream_id":"S1","media":{"payload":"` + payload(480) + `"}}`, ""},
			{text, `{"event":"mark","mark":{"name":"a"}}`, "mark"},
			{text, `{"event":"mark","mark":{"name":""}}`, ""},
			{text, `{"event":"clear"}`, "clear"},
			{text, `{"event":"hangup"}`, ""},
			{binary, frame(160), ""},
		},
		mediastream.SignalWire: {
			{text, `{"event":"clear","streamSid":"S1"}`, "clear"},
			{text, `{"event":"clear","streamSid":"S2"}`, ""},
			{binary, frame(160), ""},
		},
		mediastream.Plivo: {
			{text, `{"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":"/v8="}}`, "media"},
			{text, `{"event":"playAudio","media":{"contentType":"audio/x-l16","sampleRate":8000,"payload":"/v8="}}`, ""},
			{text, `{"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":"8000","payload":"/v8="}}`, ""},
			{text, `{"event":"checkpoint","streamId":"S1","name":"a"}`, "mark"},
			{text, `{"event":"checkpoint","streamId":"S2","name":"a"}`, ""},
			{text, `{"event":"clearAudio","streamId":"S1"}`, "clear"},
			{text, `{"event":"clearAudio"}`, ""},
		},
		mediastream.Vonage: {
			{binary, pcm(160), "media"},
			{binary, pcm(320), ""}, // two frames
			{binary, frame(160), ""},
			{binary, "\x01\x00" + pcm(159), "media"}, // within a step of the table
			{binary, "\x05\x00" + pcm(159), ""},
			{text, `{"action":"notify","payload":{"name":"a"}}`, "mark"},
			{text, `{"action":"clear"}`, "clear"},
			{text, `{"action":"clear","payload":{}}`, ""},
			{text, `clear`, ""},
		},
		mediastream.Jambonz: {
			{binary, pcm(77), "media"},
			{binary, pcm(77) + "\x00", ""},
			{text, `{"type":"mark","data":{"name":"a"}}`, "mark"},
			{text, `{"type":"killAudio"}`, "clear"},
			{text, `{"type":"disconnect"}`, "hangup"},
			{text, `{"type":"playAudio","data":{}}`, ""},
		},
		mediastream.Asterisk: {
			{binary, frame(160), "media"},
			{binary, frame(480), "media"},
			{binary, frame(100), ""},
			{binary, "", ""},
			{binary, frame(160 * 410), ""},
			{text, `{"command":"MARK_MEDIA","correlation_id":"a"}`, "mark"},
			{text, `{"command":"MARK_MEDIA","correlation_id":"` + strings.Repeat("a", 90) + `"}`, ""},
			{text, `{"command":"mark_media","correlation_id":"a"}`, ""},
			{text, `{"command":"FLUSH_MEDIA"}`, "clear"},
			{text, `FLUSH_MEDIA`, ""},
		},
	} {
		for _, m := range messages {
			event, _, _, err := mediastreamtest.Read(carrier, false, m.kind, []byte(m.text), "S1")
			if event != m.event || (err != nil) != (m.event == "") {
				t.Errorf("%s: %.100q: %q, %v", carrier, m.text, event, err)
			}
		}
	}
	for message, want := range map[string]string{
		"MARK_MEDIA g1.2": "mark", "GET_STATUS": "status", "PAUSE_MEDIA": "pause", "CONTINUE_MEDIA": "continue",
		"ANSWER": "answer", "HANGUP": "hangup", "FLUSH_MEDIA": "clear", "HANGUP now": "", `{"command":"HANGUP"}`: "",
	} {
		event, _, _, err := mediastreamtest.Read(mediastream.Asterisk, true, text, []byte(message), "S1")
		if event != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v", message, event, err)
		}
	}
}

// TestPublishedMessagesToAllCarriers reads every published message to a carrier:
// those that a gateway uses are understood, the others are breaches here.
func TestPublishedMessagesToAllCarriers(t *testing.T) {
	carriers := map[string]mediastream.Carrier{
		"signalwire": mediastream.SignalWire, "telnyx": mediastream.Telnyx, "plivo": mediastream.Plivo,
		"vonage": mediastream.Vonage, "jambonz": mediastream.Jambonz, "asterisk-chan_websocket": mediastream.Asterisk,
	}
	unused := []string{ // dtmf, clips, buffering: no gateway needs them
		"signalwire dtmf", "jambonz playAudio", "asterisk-chan_websocket START_MEDIA_BUFFERING",
		"asterisk-chan_websocket STOP_MEDIA_BUFFERING", "asterisk-chan_websocket REPORT_QUEUE_DRAINED",
		"asterisk-chan_websocket SET_MEDIA_DIRECTION",
	}
	understood := 0
	for _, line := range contract.Lines(t, "twilio-messages.jsonl") {
		var example struct {
			Provider, Dir string
			Message       json.RawMessage
		}
		if err := json.Unmarshal(line, &example); err != nil {
			t.Fatal(err)
		}
		carrier, ok := carriers[example.Provider]
		if !ok || example.Dir != "out" {
			continue
		}
		var m struct{ Event, Type, Action, Command, StreamSid, StreamID string }
		if err := json.Unmarshal(example.Message, &m); err != nil {
			t.Fatal(err)
		}
		// They abbreviate their payloads.
		text := strings.NewReplacer("<base64>", strings.Repeat("////", 40)+"////////////////////////////////////////////////////////", "a3242sa...", "a324").Replace(string(example.Message))
		_, _, _, err := mediastreamtest.Read(carrier, false, websocket.TextMessage, []byte(text), m.StreamSid+m.StreamID)
		name := example.Provider + " " + m.Event + m.Type + m.Action + m.Command
		if want := !slices.Contains(unused, name); (err == nil) != want {
			t.Errorf("%s: %s: %v", name, text, err)
		}
		if err == nil {
			understood++
		}
	}
	if understood != 3+3+3+2+4+7 {
		t.Errorf("%d messages were understood", understood)
	}
}

func TestAnswersAreObeyedOrRefused(t *testing.T) {
	const url = "wss://gw.example/media/T"
	for name, tt := range map[string]struct {
		carrier mediastream.Carrier
		text    string
		want    string // the stream's URL
		refused bool   // the gateway does not take the call
	}{
		"plivo":                 {mediastream.Plivo, `<Response><Stream bidirectional="true" keepCallAlive="true" contentType="audio/x-mulaw;rate=8000">` + url + `</Stream><Hangup/></Response>`, url, false},
		"plivo, L16 by default": {mediastream.Plivo, `<Response><Stream bidirectional="true" keepCallAlive="true">` + url + `</Stream><Hangup/></Response>`, "", false},
		"plivo, at once over":   {mediastream.Plivo, `<Response><Stream bidirectional="true" contentType="audio/x-mulaw;rate=8000">` + url + `</Stream><Hangup/></Response>`, "", false},
		"plivo, no end":         {mediastream.Plivo, `<Response><Stream bidirectional="true" keepCallAlive="true" contentType="audio/x-mulaw;rate=8000">` + url + `</Stream></Response>`, "", false},
		"plivo, busy":           {mediastream.Plivo, `<Response><Hangup reason="busy"/></Response>`, "", true},
		"vonage":                {mediastream.Vonage, `[{"action":"connect","endpoint":[{"type":"websocket","uri":"` + url + `","content-type":"audio/l16;rate=8000"}]}]`, url, false},
		"vonage, a query":       {mediastream.Vonage, `[{"action":"connect","endpoint":[{"type":"websocket","uri":"` + url + `?t=1","content-type":"audio/l16;rate=8000"}]}]`, "", false},
		"vonage, no action":     {mediastream.Vonage, `[]`, "", true},
		"vonage, no JSON":       {mediastream.Vonage, `<Response/>`, "", false},
		"jambonz":               {mediastream.Jambonz, `[{"verb":"listen","url":"` + url + `","sampleRate":8000,"passDtmf":true,"bidirectionalAudio":{"enabled":true,"streaming":true,"sampleRate":8000}},{"verb":"hangup"}]`, url, false},
		"jambonz, clips":        {mediastream.Jambonz, `[{"verb":"listen","url":"` + url + `","sampleRate":8000,"passDtmf":true,"bidirectionalAudio":{"enabled":true}},{"verb":"hangup"}]`, "", false},
		"jambonz, no end":       {mediastream.Jambonz, `[{"verb":"listen","url":"` + url + `","sampleRate":8000,"passDtmf":true,"bidirectionalAudio":{"enabled":true,"streaming":true,"sampleRate":8000}}]`, "", false},
		"jambonz, busy":         {mediastream.Jambonz, `[{"verb":"sip:decline","status":486}]`, "", true},
		"jambonz, another verb": {mediastream.Jambonz, `[{"verb":"dance"}]`, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := mediastreamtest.ReadAnswer(tt.carrier, tt.text)
			var refused *mediastreamtest.RejectedError
			if got != tt.want || (err == nil) != (tt.want != "") || errors.As(err, &refused) != tt.refused {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
