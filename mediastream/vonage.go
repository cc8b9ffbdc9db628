package mediastream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"github.com/callgw/callgw/bridge/media"
)

// vonage is an NCCO that connects to a WebSocket: binary frames of 16-bit PCM, of
// which each must carry exactly 20 ms, and JSON beside them. Requests carry a
// JWT signed with the account's signature secret.
//
// At second hand: clear, and notify, which comes back when what precedes it was
// played and is dropped by a clear; little-endian samples, as in every
// implementation. An NCCO cannot refuse a call: without an action it is ended.
// The connected message does not name the call, so the token alone binds them.
func vonage() *profile {
	p := &profile{
		name:        "vonage",
		requests:    requests{signed: signedByVonage, upgradeUnsigned: true, params: vonageParams},
		tokenInPath: true,
		unbound:     true,
		transfer:    transferByAPI(vonageDetour),
		credentials: "set media_streams.vonage.application_id and .private_key",
		answers: answers{
			contentType: "application/json",
			connect:     connectNCCO,
			reject:      func(media.Cause) string { return "[]" },
			say: func(sentence string) string {
				return asJSON([]any{map[string]any{"action": "talk", "text": sentence}})
			},
			hangup: func() string { return "[]" },
		},
		encodings: []string{"audio/l16"},
		kinds: []kind{
			{"websocket:notify", eventMark},
			{"websocket:dtmf", eventDTMF},
			{"websocket:connected", eventStart},
		},
		names:     names{event: "event"},
		digit:     place{"", "digit"},
		mark:      place{"payload", "name"},
		binary:    binaryL16,
		readStart: readVonageStart,
		outMark:   template{`{"action":"notify","payload":{"name":"`, `"}}`},
		outClear:  []string{`{"action":"clear"}`},
		outFrame:  media.FrameBytes,
		single:    true,
	}
	return p.prefixed()
}

func connectNCCO(c connection) string {
	return asJSON([]any{map[string]any{
		"action":   "connect",
		"eventUrl": []string{c.status},
		"endpoint": []any{map[string]any{
			"type": "websocket", "uri": c.stream + "/" + c.token,
			"content-type": "audio/l16;rate=8000",
		}},
	}})
}

// asJSON returns v as JSON. It consists of strings, numbers and truths.
func asJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // which always can be
	return string(bytes.TrimSpace(b.Bytes()))
}

// vonageParams reads a request: a GET with a query, or a POST with JSON.
func vonageParams(r *http.Request, body []byte) (url.Values, error) {
	params, err := jsonParams(r, body)
	if err != nil {
		return nil, err
	}
	renamed(params, "uuid", "CallSid", "from", "From", "to", "To", "status", "CallStatus")
	for _, name := range []string{"From", "To"} {
		if params.Has(name) {
			params.Set(name, international(params.Get(name)))
		}
	}
	switch params.Get("CallStatus") {
	case "cancelled":
		params.Set("CallStatus", "canceled")
	case "unanswered", "timeout":
		params.Set("CallStatus", "no-answer")
	case "rejected":
		params.Set("CallStatus", "busy")
	}
	if r.URL.Query().Has(callParameter) {
		return ofTransfer(params), nil
	}
	return params, nil
}

func readVonageStart(m *message) (start, error) {
	var v struct {
		ContentType string `json:"content-type"`
	}
	if err := json.Unmarshal(m.start, &v); err != nil {
		return start{}, fmt.Errorf("mediastream: start: %w", err)
	}
	st := start{channels: 1}
	kind, parameters, err := mime.ParseMediaType(v.ContentType)
	if err != nil {
		return st, nil // a format that is not understood is refused as such
	}
	st.encoding = kind
	if st.sampleRate, err = strconv.Atoi(parameters["rate"]); err != nil {
		st.sampleRate = 0
	}
	return st, nil
}
