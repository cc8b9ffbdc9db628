package realtimetest

import "slices"

// find returns the place of an item in the conversation, or -1.
func (s *Session) find(id string) int {
	return slices.IndexFunc(s.items, func(it *Item) bool { return it.ID == id })
}

// insert puts an item at a place and returns the id of the one before it.
func (s *Session) insert(at int, it *Item) (previous string) {
	s.items = slices.Insert(s.items, at, it)
	s.dirty = true
	if at > 0 {
		previous = s.items[at-1].ID
	}
	return previous
}

// announce tells the client about a new item that is not yet finished.
func (s *Session) announce(it *Item, previous string) {
	name := "conversation.item.added"
	if s.Beta {
		name = "conversation.item.created"
	}
	s.send(event(name, member{"previous_item_id", s.previous(previous)}, member{"item", it.render(s.Beta, false)}))
}

// announceDone tells it that the item is finished; Beta has no such event.
func (s *Session) announceDone(it *Item) {
	if s.Beta {
		return
	}
	previous := ""
	if i := s.find(it.ID); i > 0 {
		previous = s.items[i-1].ID
	}
	s.send(event("conversation.item.done", member{"previous_item_id", s.previous(previous)}, member{"item", it.render(s.Beta, false)}))
}

// previous is null for the first item, which the Beta schema does not allow.
func (s *Session) previous(id string) any {
	if s.Beta {
		return id
	}
	return nullable(id)
}

// conversation.item.create
func (s *Session) createItem(m map[string]any) *Error {
	it, err := newItem(m["item"].(map[string]any), s.settings.Input)
	if err != nil {
		return err
	}
	if it.ID == "" {
		it.ID = newID(s.rng, "item")
	}
	if s.find(it.ID) >= 0 {
		return errValue("item.id", "Error adding item: an item with this id exists already: '"+it.ID+"'.")
	}
	if it.Type == "function_call_output" && !slices.ContainsFunc(s.items, func(o *Item) bool { return o.Type == "function_call" && o.CallID == it.CallID }) {
		return &Error{Code: "invalid_tool_call_id", Message: "Tool call ID '" + it.CallID + "' not found in conversation.", Param: "item.call_id"}
	}
	at := len(s.items)
	switch previous, _ := m["previous_item_id"].(string); previous {
	case "":
	case "root":
		at = 0
	default:
		i := s.find(previous)
		if i < 0 {
			return errNoItem("previous_item_id", previous)
		}
		at = i + 1
	}
	previous := s.insert(at, it)
	s.announce(it, previous)
	s.announceDone(it)
	return nil
}

// conversation.item.delete
func (s *Session) deleteItem(m map[string]any) *Error {
	id := m["item_id"].(string)
	i := s.find(id)
	if i < 0 {
		return errNoItem("item_id", id)
	}
	s.record.delete(Deletion{At: s.since(), ItemID: id, SentMS: audioOf(s.items[i]).milliseconds()})
	s.items = slices.Delete(s.items, i, i+1)
	s.dirty = true
	s.send(event("conversation.item.deleted", member{"item_id", id}))
	return nil
}

// conversation.item.retrieve
func (s *Session) retrieveItem(m map[string]any) *Error {
	id := m["item_id"].(string)
	i := s.find(id)
	if i < 0 {
		return errNoItem("item_id", id)
	}
	s.send(event("conversation.item.retrieved", member{"item", s.items[i].render(s.Beta, true)}))
	return nil
}

// audioOf returns the model's audio in an item, or an empty part.
func audioOf(it *Item) *Content {
	if it.Type == "message" && it.Role == "assistant" {
		for i := range it.Content {
			if it.Content[i].Type == "output_audio" {
				return &it.Content[i]
			}
		}
	}
	return &Content{}
}
