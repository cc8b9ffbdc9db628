package realtimetest

import (
	"encoding/json"
	"fmt"
)

// conversation.item.truncate: cuts the item's audio, and deletes its text with
// it, since the two are not aligned. Nothing else truncates: on a WebSocket the
// server does not know what was played.
func (s *Session) truncateItem(m map[string]any) *Error {
	t := Truncation{
		At: s.since(), ItemID: m["item_id"].(string), ContentIndex: number(m["content_index"]), AudioEndMS: number(m["audio_end_ms"]),
	}
	t.Error = s.truncate(&t)
	s.record.truncate(t)
	if t.Error != nil {
		return t.Error
	}
	s.send(event("conversation.item.truncated",
		member{"item_id", t.ItemID}, member{"content_index", t.ContentIndex}, member{"audio_end_ms", t.AudioEndMS}))
	return nil
}

func (s *Session) truncate(t *Truncation) *Error {
	i := s.find(t.ItemID)
	if i < 0 {
		return errNoItem("item_id", t.ItemID)
	}
	audio := audioOf(s.items[i])
	t.SentMS = audio.milliseconds()
	switch {
	case audio.bytes == 0:
		return &Error{Code: "unsupported_content_type", Message: "Only model output audio messages can be truncated"}
	case t.ContentIndex != 0:
		return errValue("content_index", fmt.Sprintf("Invalid 'content_index': the item has no content %d.", t.ContentIndex))
	case t.AudioEndMS > t.SentMS:
		return &Error{Message: fmt.Sprintf("Audio content of %dms is already shorter than %dms", t.SentMS, t.AudioEndMS)}
	}
	if t.AudioEndMS == t.SentMS && !s.streaming(t.ItemID) {
		// Allowed, but it costs the transcript and gains nothing.
		s.violate("conversation.item.truncate", "truncates an item that was heard to its end")
	}
	audio.bytes = min(audio.bytes, t.AudioEndMS*audio.format.BytesPerMS())
	audio.Audio = audio.Audio[:min(len(audio.Audio), audio.bytes)]
	audio.Text = ""
	s.dirty = true
	return nil
}

func number(v any) int {
	n, _ := v.(json.Number)
	i, _ := n.Int64()
	return int(i)
}
