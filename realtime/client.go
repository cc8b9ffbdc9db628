package realtime

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"
)

// The client events that this package sends.
const (
	sessionUpdate  = "session.update"
	audioAppend    = "input_audio_buffer.append"
	audioCommit    = "input_audio_buffer.commit"
	audioClear     = "input_audio_buffer.clear"
	itemCreate     = "conversation.item.create"
	itemTruncate   = "conversation.item.truncate"
	itemDelete     = "conversation.item.delete"
	itemRetrieve   = "conversation.item.retrieve"
	responseCreate = "response.create"
	responseCancel = "response.cancel"
	eventIDMark    = "#" // between a client event's type and its number
	appendPrologue = `{"type":"` + audioAppend + `","audio":"`
	appendEpilogue = `"}`
	noConversation = "none"
)

// clientEvent is a client event other than append. Its id tells its type, so
// that an error that comes back with it says at once what was refused.
type clientEvent map[string]any

func newClientEvent(kind string, number uint64) clientEvent {
	return clientEvent{"type": kind, "event_id": kind + eventIDMark + strconv.FormatUint(number, 10)}
}

func (e clientEvent) id() string { return e["event_id"].(string) }

func (e clientEvent) with(name string, value any) clientEvent {
	e[name] = value
	return e
}

func (e clientEvent) encode() ([]byte, error) { return json.Marshal(map[string]any(e)) }

// sessionMember completes a session object: GA wants the type in each.
func sessionMember(d Dialect, session map[string]any) map[string]any {
	if _, ok := session["type"]; !ok && d != Beta {
		session["type"] = "realtime"
	}
	return session
}

// wire returns the response member of response.create, nil for a plain one.
func (r ResponseRequest) wire(d Dialect) map[string]any {
	o := newObject(d)
	if r.Instructions != "" {
		o.set("instructions", r.Instructions)
	}
	if r.Conversation != "" {
		o.set("conversation", r.Conversation)
	}
	if len(r.Modalities) > 0 {
		o.set("modalities", modalities(d, r.Modalities))
	}
	if len(r.Metadata) > 0 {
		o.set("metadata", r.Metadata)
	}
	if r.Input != nil {
		items := make([]map[string]any, 0, len(r.Input))
		for _, item := range r.Input {
			items = append(items, item.wire(d))
		}
		o.set("input", items)
	}
	if r.ToolChoice != "" {
		o.set("tool_choice", toolChoice(d, r.ToolChoice))
	}
	if len(o.root) == 0 {
		return nil
	}
	return o.root
}

// appender writes input_audio_buffer.append into a buffer of its own, behind a
// header that stands there already.
type appender struct{ buf []byte }

func newAppender(maxAudio int) *appender {
	buf := make([]byte, 0, len(appendPrologue)+base64.StdEncoding.EncodedLen(maxAudio)+len(appendEpilogue))
	return &appender{append(buf, appendPrologue...)}
}

// encode returns the event; it lives until the next call.
func (a *appender) encode(audio []byte) []byte {
	msg := base64.StdEncoding.AppendEncode(a.buf[:len(appendPrologue)], audio)
	return append(msg, appendEpilogue...)
}

// wholeMS floors d to milliseconds, at least 0: audio_end_ms is an integer and
// negative ones are refused.
func wholeMS(d time.Duration) int64 { return max(0, d.Milliseconds()) }
