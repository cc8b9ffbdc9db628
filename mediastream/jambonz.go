package mediastream

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/callgw/callgw/bridge/media"
)

// jambonz is the verb listen with streaming in both directions: binary frames of
// 16-bit PCM at 8 kHz, and JSON beside them. The first message describes the
// call and has no type. Marks come back as played or as cleared: the latter are
// of a past that we have left.
//
// All of it is read in its SDK and its server. A server of March 2026 was
// reported to return marks at once (jambonz-feature-server#811): then positions
// are too early, until that is mended there.
func jambonz() *profile {
	p := &profile{
		name:        "jambonz",
		requests:    requests{signed: signedByJambonz, upgradeUnsigned: true, params: jambonzParams},
		tokenInPath: true,
		subprotocol: "audio.drachtio.org",
		transfer:    transferByAPI(jambonzDetour),
		dial:        "/jambonz/dial",
		dialling:    dialJambonz,
		credentials: "set media_streams.jambonz.account_sid and .api_key",
		answers: answers{
			contentType: "application/json",
			connect:     connectJambonz,
			reject:      rejectJambonz,
			say: func(sentence string) string {
				return asJSON([]any{map[string]any{"verb": "say", "text": sentence}, verbHangup()})
			},
			hangup: func() string { return asJSON([]any{verbHangup()}) },
		},
		encodings: []string{"l16"},
		kinds: []kind{
			{"mark", eventMark},
			{"dtmf", eventDTMF},
			{"", eventStart},
		},
		names:     names{event: "type", otherEvent: "event"},
		digit:     place{"", "dtmf"},
		mark:      place{"data", "name"},
		binary:    binaryL16,
		readStart: readJambonzStart,
		outMark:   template{`{"type":"mark","data":{"name":"`, `"}}`},
		outClear:  []string{`{"type":"killAudio"}`, `{"type":"clearMarks"}`},
		outHangup: `{"type":"disconnect"}`,
	}
	return p.prefixed()
}

func verbHangup() map[string]any { return map[string]any{"verb": "hangup"} }

func connectJambonz(c connection) string {
	return asJSON([]any{
		map[string]any{"verb": "answer"},
		map[string]any{
			"verb": "listen", "url": c.stream + "/" + c.token,
			"mixType": "mono", "sampleRate": media.SampleRate, "passDtmf": true,
			"bidirectionalAudio": map[string]any{"enabled": true, "streaming": true, "sampleRate": media.SampleRate},
		},
		verbHangup(),
	})
}

func rejectJambonz(cause media.Cause) string {
	status := 603
	if rejection(cause) == "busy" {
		status = 486
	}
	return asJSON([]any{map[string]any{"verb": "sip:decline", "status": status}})
}

func jambonzParams(r *http.Request, body []byte) (url.Values, error) {
	params, err := jsonParams(r, body)
	if err != nil {
		return nil, err
	}
	if status := params.Get("dial_call_status"); status != "" {
		params.Set("DialCallStatus", jambonzOutcome(status))
	}
	return renamed(params, "call_sid", "CallSid", "account_sid", "AccountSid", "from", "From", "to", "To", "call_status", "CallStatus"), nil
}

func readJambonzStart(m *message) (start, error) {
	var j struct {
		CallSid    string      `json:"callSid"`
		SampleRate json.Number `json:"sampleRate"`
	}
	if err := json.Unmarshal(m.start, &j); err != nil {
		return start{}, fmt.Errorf("mediastream: start: %w", err)
	}
	st := start{call: j.CallSid, encoding: "l16", channels: 1, sampleRate: media.SampleRate}
	if j.SampleRate != "" {
		st.sampleRate = looseInt(json.RawMessage(j.SampleRate))
	}
	return st, nil
}

// signedByJambonz checks a header like t=1700000000,v1=…: the HMAC-SHA256 of the
// time and the body, in hexadecimal, several if secrets are exchanged.
func signedByJambonz(secrets []string, r *http.Request, _ string, _ url.Values, body []byte) bool {
	var at string
	var given [][]byte
	for part := range strings.SplitSeq(r.Header.Get("Jambonz-Signature"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			at = value
		case "v1":
			if got, err := hex.DecodeString(value); err == nil {
				given = append(given, got)
			}
		}
	}
	if !timely(at) {
		return false
	}
	for _, secret := range secrets {
		if secret == "" { // would accept anybody's signature
			continue
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(at + "."))
		mac.Write(body)
		want := mac.Sum(nil)
		for _, got := range given {
			if hmac.Equal(got, want) {
				return true
			}
		}
	}
	return false
}
