package mediastream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// asterisk is its channel driver chan_websocket, which connects to us
// (Dial(WebSocket/callgw/c(ulaw)f(json)v(from=…,to=…))): audio in binary frames
// of µ-law without any header, commands and events as text, JSON or plain. What
// is known of the call stands in the URL that it opens and in the channel's
// variables; it is let in by the user name and password of its client
// configuration.
//
// A flush removes marks without a word and does not end a pause, whatever the
// documentation says (chan_websocket.c). Paused, asked, flushed and continued in
// one go, the queue's length tells to the frame what was heard.
func asterisk() *profile {
	p := &profile{
		name:        "asterisk",
		born:        true,
		next:        "/asterisk/next",
		transfer:    transferByDialplan,
		subprotocol: "media",
		encodings:   []string{"ulaw"},
		kinds: []kind{
			{"MEDIA_MARK_PROCESSED", eventMark},
			{"STATUS", eventStatus},
			{"DTMF_END", eventDTMF},
			{"MEDIA_XOFF", eventPause},
			{"MEDIA_XON", eventResume},
			{"MEDIA_START", eventStart},
			{"ERROR", eventFault},
		},
		names:    names{event: "event", stream: "channel_id", unplayed: "queue_length"},
		digit:    place{"", "digit"},
		mark:     place{"", "correlation_id"},
		binary:   binaryUlaw,
		plain:    true,
		outMark:  template{`{"command":"MARK_MEDIA","correlation_id":"`, `"}`},
		outFrame: 160,
	}
	for _, command := range []string{"PAUSE_MEDIA", "GET_STATUS", "FLUSH_MEDIA", "CONTINUE_MEDIA"} {
		p.outClear = append(p.outClear, jsonCommand(command))
	}
	p.outStatus, p.outAnswer, p.outHangup = jsonCommand("GET_STATUS"), jsonCommand("ANSWER"), jsonCommand("HANGUP")
	p.readStart = readAsteriskStart
	return p.prefixed()
}

func jsonCommand(name string) string { return `{"command":"` + name + `"}` }

// plainly returns the profile for a peer that speaks plain text.
func (p *profile) plainly() *profile {
	plain := *p
	plain.outMark = template{"MARK_MEDIA ", ""}
	plain.outClear = slices.Clone(p.outClear)
	for i := range plain.outClear {
		plain.outClear[i] = plainCommand(p.outClear[i])
	}
	plain.outStatus, plain.outAnswer, plain.outHangup = plainCommand(p.outStatus), plainCommand(p.outAnswer), plainCommand(p.outHangup)
	return &plain
}

func plainCommand(text string) string {
	return strings.TrimSuffix(strings.TrimPrefix(text, `{"command":"`), `"}`)
}

// asteriskStart is a MEDIA_START.
type asteriskStart struct {
	ConnectionID string            `json:"connection_id"`
	ChannelID    string            `json:"channel_id"`
	Format       string            `json:"format"`
	FrameSize    json.Number       `json:"optimal_frame_size"`
	Variables    map[string]string `json:"channel_variables"`
}

func readAsteriskStart(m *message) (start, error) {
	var a asteriskStart
	if m.plain {
		a = plainAsteriskStart(m.start)
	} else if err := json.Unmarshal(m.start, &a); err != nil {
		return start{}, fmt.Errorf("mediastream: start: %w", err)
	}
	if a.ChannelID == "" {
		return start{}, fmt.Errorf("mediastream: start: no channel_id")
	}
	st := start{
		stream: a.ChannelID, call: a.ChannelID, encoding: a.Format, channels: 1, plain: m.plain,
		params: make(url.Values),
	}
	if a.FrameSize == "160" { // 20 ms of 8000 samples a second
		st.sampleRate = 8000
	}
	for name, value := range a.Variables {
		st.params.Set(name, value)
	}
	st.params.Set("ConnectionId", a.ConnectionID)
	return st, nil
}

func plainAsteriskStart(text []byte) (a asteriskStart) {
	fields := make(map[string]string)
	for pair := range bytes.FieldsSeq(text) {
		name, value, _ := bytes.Cut(pair, []byte(":"))
		fields[string(name)] = string(value)
	}
	a.ConnectionID, a.ChannelID, a.Format = fields["connection_id"], fields["channel_id"], fields["format"]
	a.FrameSize = json.Number(fields["optimal_frame_size"])
	return a
}
