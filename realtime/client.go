package realtime

import (
	"encoding/base64"
	"encoding/json"
	"maps"
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

// draft is a client event other than append, before it is put in a dialect. Its
// id tells its type, so that an error that comes back with it says at once what
// was refused.
type draft struct {
	kind    string
	id      string
	item    string // that it is about, if any
	aside   bool   // a response beside the conversation
	members func(Dialect) map[string]any
}

func newDraft(kind string, number uint64, members func(Dialect) map[string]any) draft {
	return draft{kind: kind, id: kind + eventIDMark + strconv.FormatUint(number, 10), members: members}
}

// about returns d with the item that it is about.
func (d draft) about(item string) draft {
	d.item = item
	return d
}

func (d draft) encode(dialect Dialect) ([]byte, error) {
	event := map[string]any{}
	if d.members != nil {
		maps.Copy(event, d.members(dialect))
	}
	event["type"], event["event_id"] = d.kind, d.id
	return json.Marshal(event)
}

// sessionMember completes a session object: GA wants the type in each.
func sessionMember(d Dialect, session map[string]any) map[string]any {
	if _, ok := session["type"]; !ok && d.grammar().typed {
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
