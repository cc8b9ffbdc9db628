package realtime

import "encoding/base64"

// unheard stands for a turn of the caller of which neither words nor audio are
// left.
const unheard = "[The caller said something that was not transcribed.]"

// replay returns the conversation as another connection is told it, and notes
// that it is told: what the caller said as text, or as audio if it is the latest
// and its words have not come; what the model said as far as it was heard; calls
// of functions and their results. Items keep their ids. It leaves out those of
// which nothing was heard, those that were never completed, and what a client
// cannot create. The caller holds mu.
func (s *Session) replay(waiting map[string]bool) []Item {
	var items []Item
	calls := map[string]bool{}
	var kept []*entry
	for _, e := range s.history.entries {
		if waiting[e.item.ID] {
			if e.item.Type == "function_call_output" && !calls[e.item.CallID] {
				continue
			}
			kept = append(kept, e)
			continue
		}
		item, ok := s.again(e)
		switch {
		case !ok:
			continue
		case item.Type == "function_call":
			calls[item.CallID] = true
		case item.Type == "function_call_output" && !calls[item.CallID]:
			continue // without its call it would be refused
		}
		e.restored = e.origin != OriginOurs
		item.ID = clientID(e.item.ID)
		items = append(items, item)
		kept = append(kept, e)
	}
	s.history.replace(kept)
	return items
}

// again returns an entry as an item that a client can create.
func (s *Session) again(e *entry) (Item, bool) {
	switch {
	case e.origin == OriginOurs:
		return e.item, true
	case e.item.Type == "function_call":
		return e.item, e.complete && e.item.Status == "completed"
	case e.item.Type != "message":
		return Item{}, false
	case e.origin == OriginModel:
		text := s.heardText(e)
		return Message("assistant", text), text != ""
	case e.text() != "":
		return Message("user", e.text()), true
	case len(e.speech) > 0:
		return Item{Type: "message", Role: "user", Content: []Content{{
			Type: "input_audio", Audio: base64.StdEncoding.EncodeToString(e.speech),
		}}}, true
	}
	return Message("user", unheard), true
}

// rewrite gives the server an item anew that it has as text: there is no audio
// of it that could be cut. The caller holds mu.
func (s *Session) rewrite(e *entry) error {
	text := s.heardText(e)
	id, before := e.wireID(), s.history.before(e)
	if text == "" {
		s.history.remove(e.item.ID)
	} else {
		e.rewritten++
	}
	if err := s.send(s.draft(itemDelete, constant("item_id", id)).about(e.item.ID)); err != nil || text == "" {
		return err
	}
	item := Message("assistant", text)
	item.ID = id
	return s.send(s.create(item, before).about(e.item.ID))
}
