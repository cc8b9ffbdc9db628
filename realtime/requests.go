package realtime

import (
	"fmt"
	"time"
)

// The requests below return when the event is queued, behind the audio appended
// before it; what the server makes of it comes as an event. They may be used
// before Open is done and while a lost session is being replaced: they wait, in
// their order. Their errors are [ErrClosed], [ErrBacklog] when the socket has
// not taken anything for long, and faults of the arguments.

// Respond asks for a response. One response.create is in flight at a time: the
// request waits while a response of the default conversation runs, and is asked
// again if the server refuses it because of one that it started itself, or is
// lost before it has answered. Plain requests that wait become one; others are
// answered in their order, at most 16 wait. Requests with the conversation
// "none" go at once.
func (s *Session) Respond(r ResponseRequest) error {
	if err := r.validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == closed {
		return ErrClosed
	}
	if r.outOfBand() {
		return s.respond(r)
	}
	if err := s.responses.add(r); err != nil {
		return err
	}
	return s.pump()
}

// pump sends the response.create that may go now, if any. The caller holds mu.
func (s *Session) pump() error {
	if s.link == nil {
		return nil
	}
	r, ok := s.responses.next(time.Now())
	if !ok {
		return nil
	}
	return s.respond(r)
}

// respond sends response.create. The caller holds mu.
func (s *Session) respond(r ResponseRequest) error {
	d := s.draft(responseCreate, func(dialect Dialect) map[string]any {
		if response := r.wire(dialect); response != nil {
			return map[string]any{"response": response}
		}
		return nil
	})
	d.aside = r.outOfBand()
	if err := s.post(d); err != nil {
		return err
	}
	s.responses.asked(d.id, r, time.Now())
	if r.continues() {
		s.calls.settled()
	}
	return nil
}

// Cancel stops a response; empty means the running one. If none runs the
// server answers with a [Benign] error.
func (s *Session) Cancel(responseID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if responseID == "" {
		return s.send(s.draft(responseCancel, nil))
	}
	return s.send(s.draft(responseCancel, constant("response_id", responseID)))
}

// Truncate cuts an item's audio at what was heard: audioEnd from the part's
// beginning, floored to milliseconds, at least 0. The server forgets the item's
// transcript. An item that a new connection was given as text gets the text
// that was heard. With a provider that has no truncation it does nothing but
// for the history.
func (s *Session) Truncate(itemID string, contentIndex int, audioEnd time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.history.find(itemID)
	if e != nil {
		e.cut(audioEnd)
	}
	switch {
	case s.state == closed:
		return ErrClosed
	case e != nil && e.restored:
		return s.rewrite(e)
	case s.provider().NoTruncate:
		return nil
	}
	return s.send(s.draft(itemTruncate,
		constant("item_id", itemID, "content_index", contentIndex, "audio_end_ms", wholeMS(audioEnd))))
}

// Delete removes an item.
func (s *Session) Delete(itemID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	wire := itemID
	if e := s.history.find(itemID); e != nil {
		wire = e.wireID()
		s.history.remove(itemID)
	}
	return s.send(s.draft(itemDelete, constant("item_id", wire)).about(itemID))
}

// Commit ends the caller's turn by hand. The server refuses, benignly, less
// than 100 ms of audio.
func (s *Session) Commit() error { return s.request(audioCommit) }

// Clear drops the caller audio that is not committed yet.
func (s *Session) Clear() error { return s.request(audioClear) }

// CreateItem appends an item to the conversation. An item without an id gets
// one here, by which it is known from then on.
func (s *Session) CreateItem(item Item) error {
	if item.Type == "" {
		return fmt.Errorf("realtime: item without a type")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.createItem(item)
	return err
}

// createItem returns the id of the client event. The caller holds mu.
func (s *Session) createItem(item Item) (event string, err error) {
	if item.ID == "" {
		item.ID = s.newItemID()
	}
	d := s.create(item, "")
	if err := s.post(d); err != nil {
		return "", err
	}
	e := ours(item)
	e.created = d.id
	s.history.append(e)
	return d.id, nil
}

// newItemID returns an id that no other item of the conversation has.
func (s *Session) newItemID() string {
	s.items++
	return fmt.Sprintf("callgw_%d", s.items)
}

// create drafts conversation.item.create, behind another item or at the end.
func (s *Session) create(item Item, behind string) draft {
	return s.draft(itemCreate, func(dialect Dialect) map[string]any {
		members := map[string]any{"item": item.wire(dialect)}
		if behind != "" {
			members["previous_item_id"] = behind
		}
		return members
	}).about(item.ID)
}

// request queues an event without members.
func (s *Session) request(kind string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.post(s.draft(kind, nil))
}

// constant returns members given as name, value, … that are the same in every
// dialect.
func constant(members ...any) func(Dialect) map[string]any {
	return func(Dialect) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(members); i += 2 {
			m[members[i].(string)] = members[i+1]
		}
		return m
	}
}

// draft numbers a client event. The caller holds mu.
func (s *Session) draft(kind string, members func(Dialect) map[string]any) draft {
	s.number++
	return newDraft(kind, s.number, members)
}

// send queues an event that means something to the present connection only:
// what the next one is told already includes it. The caller holds mu.
func (s *Session) send(d draft) error {
	if s.link == nil && s.state == repairing {
		return nil
	}
	return s.post(d)
}

// post queues a client event. The caller holds mu, which keeps events in the
// order of their numbers.
func (s *Session) post(d draft) error {
	msg, err := d.encode(s.provider().Dialect)
	if err != nil {
		return fmt.Errorf("realtime: %s: %w", d.kind, err)
	}
	return s.out.post(d, msg)
}

// provider is the one of the present connection, or else the first. The caller
// holds mu.
func (s *Session) provider() Provider {
	if s.link != nil {
		return s.link.provider
	}
	return s.cfg.Providers[0]
}
