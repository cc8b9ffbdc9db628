package realtime

import (
	"fmt"
	"time"
)

// The requests below return when the event is queued, behind the audio appended
// before it; what the server makes of it comes as an event. They may be used
// before Open is done. Their errors are [ErrClosed], [ErrBacklog] when the
// socket has not taken anything for long, and faults of the arguments.

// Respond asks for a response. One response.create is in flight at a time: the
// request waits while a response of the default conversation runs, and is asked
// again if the server refuses it because of one that it started itself. Plain
// requests that wait become one; others are answered in their order, at most 16
// wait. Requests with the conversation "none" go at once.
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
	r, ok := s.responses.next(time.Now())
	if !ok {
		return nil
	}
	return s.respond(r)
}

// respond sends response.create. The caller holds mu.
func (s *Session) respond(r ResponseRequest) error {
	event := s.newEvent(responseCreate)
	if response := r.wire(s.cfg.Provider.Dialect); response != nil {
		event.with("response", response)
	}
	if err := s.post(event); err != nil {
		return err
	}
	s.responses.asked(event.id(), r, time.Now())
	return nil
}

// Cancel stops a response; empty means the running one. If none runs the
// server answers with a [Benign] error.
func (s *Session) Cancel(responseID string) error {
	return s.send(responseCancel, "response_id", responseID)
}

// Truncate cuts an item's audio at what was heard: audioEnd from the part's
// beginning, floored to milliseconds, at least 0. The server forgets the item's
// transcript. With a provider that has no truncation it does nothing.
func (s *Session) Truncate(itemID string, contentIndex int, audioEnd time.Duration) error {
	if s.cfg.Provider.NoTruncate {
		return nil
	}
	return s.send(itemTruncate, "item_id", itemID, "content_index", contentIndex, "audio_end_ms", wholeMS(audioEnd))
}

// Delete removes an item.
func (s *Session) Delete(itemID string) error {
	return s.send(itemDelete, "item_id", itemID)
}

// Commit ends the caller's turn by hand. The server refuses, benignly, less
// than 100 ms of audio.
func (s *Session) Commit() error { return s.send(audioCommit) }

// Clear drops the caller audio that is not committed yet.
func (s *Session) Clear() error { return s.send(audioClear) }

// CreateItem appends an item to the conversation.
func (s *Session) CreateItem(item Item) error {
	if item.Type == "" {
		return fmt.Errorf("realtime: item without a type")
	}
	return s.send(itemCreate, "item", item.wire(s.cfg.Provider.Dialect))
}

// send queues an event with the members given as name, value, … ; empty strings
// are left out.
func (s *Session) send(kind string, members ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	event := s.newEvent(kind)
	for i := 0; i < len(members); i += 2 {
		if members[i+1] != "" {
			event.with(members[i].(string), members[i+1])
		}
	}
	return s.post(event)
}

// newEvent numbers a client event. The caller holds mu.
func (s *Session) newEvent(kind string) clientEvent {
	s.number++
	return newClientEvent(kind, s.number)
}

// post queues a client event. The caller holds mu, which keeps events in the
// order of their numbers.
func (s *Session) post(event clientEvent) error {
	msg, err := event.encode()
	if err != nil {
		return fmt.Errorf("realtime: %s: %w", event["type"], err)
	}
	return s.out.post(msg)
}
