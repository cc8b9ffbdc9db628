package realtime

import (
	"context"
	"errors"
	"fmt"
)

// retrieval is one conversation.item.retrieve under way, shared by all who wait
// for the item.
type retrieval struct {
	id      string // of the client event
	waiters int
	done    chan struct{}
	item    Item
	err     error
}

// Retrieve asks the server for an item, with its audio. Requests for the same
// item at the same time share one event. It returns the server's [ErrorDetail],
// ctx's cause, or [ErrClosed] if the session ends first; give ctx a deadline,
// for some servers never answer. A connection that replaces a lost one is asked
// again; it has the item as text. Of a provider that gives no items back the
// error is [errors.ErrUnsupported].
func (s *Session) Retrieve(ctx context.Context, itemID string) (Item, error) {
	s.mu.Lock()
	r := s.retrievals[itemID]
	if r == nil {
		if s.provider().NoRetrieve {
			s.mu.Unlock()
			return Item{}, errNoRetrieve
		}
		d := s.retrieve(itemID)
		if err := s.send(d); err != nil {
			s.mu.Unlock()
			return Item{}, err
		}
		r = &retrieval{id: d.id, done: make(chan struct{})}
		s.retrievals[itemID] = r
	}
	r.waiters++
	s.mu.Unlock()

	select {
	case <-r.done:
		return r.item, r.err
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.waiters--; r.waiters == 0 && s.retrievals[itemID] == r {
		delete(s.retrievals, itemID)
	}
	return Item{}, context.Cause(ctx)
}

var errNoRetrieve = fmt.Errorf("realtime: the provider gives no items back: %w", errors.ErrUnsupported)

// retrieve drafts conversation.item.retrieve. The caller holds mu.
func (s *Session) retrieve(itemID string) draft {
	wire := itemID
	if e := s.history.find(itemID); e != nil {
		wire = e.wireID()
	}
	return s.draft(itemRetrieve, constant("item_id", wire)).about(itemID)
}

// retrieveAgain drafts the retrievals that a lost connection has not answered,
// or ends them if the present one cannot. The caller holds mu.
func (s *Session) retrieveAgain() []draft {
	if s.provider().NoRetrieve {
		s.failRetrievals(errNoRetrieve)
	}
	drafts := make([]draft, 0, len(s.retrievals))
	for itemID, r := range s.retrievals {
		d := s.retrieve(itemID)
		r.id = d.id
		drafts = append(drafts, d)
	}
	return drafts
}

// resolve gives a retrieved item to those who wait for it. The caller holds mu.
func (s *Session) resolve(item Item) {
	if e := s.history.find(item.ID); e != nil {
		item.ID = e.item.ID
	}
	if r := s.retrievals[item.ID]; r != nil {
		s.finish(item.ID, item, nil)
	}
}

// rejectRetrieval ends the retrieval that an error answers. The caller holds mu.
func (s *Session) rejectRetrieval(e ErrorDetail) {
	for itemID, r := range s.retrievals {
		if r.id == e.EventID {
			s.finish(itemID, Item{}, e)
		}
	}
}

// failRetrievals ends all of them. The caller holds mu.
func (s *Session) failRetrievals(err error) {
	for itemID := range s.retrievals {
		s.finish(itemID, Item{}, err)
	}
}

func (s *Session) finish(itemID string, item Item, err error) {
	r := s.retrievals[itemID]
	delete(s.retrievals, itemID)
	r.item, r.err = item, err
	close(r.done)
}
