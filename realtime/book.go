package realtime

import (
	"errors"
	"time"
)

// turn is what the caller is saying, as the server's detection has it. Positions
// are those of the outbox.
type turn struct {
	item       string
	start, end int64
	ended      bool
}

var errEndedTwice = errors.New("realtime: the response has ended before")

// book notes what an event means for the session and returns what of it the
// handler is told: each item once, positions on the session's own clock. The
// caller holds mu.
func (s *Session) book(event Event) []Event {
	switch e := event.(type) {
	case SessionCreated:
		s.effective = e.Session
	case SessionUpdated:
		if e.Session.ExpiresAt == 0 {
			e.Session.ExpiresAt = s.effective.ExpiresAt
		}
		s.effective = e.Session
		s.props.confirm()
		e.Differs = s.props.base.differs(s.provider().Dialect, e.Session.Raw)
		s.listen()
		event = e
	case SpeechStarted:
		s.turn = turn{item: e.ItemID, start: s.position(e.AudioStartMS)}
		e.AudioStartMS = s.onOurClock(e.AudioStartMS)
		s.speaking, s.due = true, false
		s.listen()
		event = e
	case SpeechStopped:
		s.turn.item, s.turn.end, s.turn.ended = e.ItemID, s.position(e.AudioEndMS), true
		e.AudioEndMS = s.onOurClock(e.AudioEndMS)
		s.speaking = false
		event = e
	case InputTimeout:
		s.turn = turn{e.ItemID, s.position(e.AudioStartMS), s.position(e.AudioEndMS), true}
		e.AudioStartMS, e.AudioEndMS = s.onOurClock(e.AudioStartMS), s.onOurClock(e.AudioEndMS)
		event = e
	case InputCommitted:
		s.bookTurn(e)
	case InputCleared:
		if at, ok := s.out.answered(); ok {
			s.out.committed(at, at)
		}
	case ItemAdded:
		return s.bookAdded(e)
	case ItemDone:
		return s.bookDone(e.Item)
	case OutputItemDone:
		s.responses.progress(e.ResponseID, e.Item.Type == "function_call" && e.Item.Status != "incomplete")
		if s.history.find(e.Item.ID) != nil {
			return append([]Event{event}, s.bookDone(e.Item)...)
		}
	case ItemDeleted:
		if entry := s.history.find(e.ItemID); entry != nil {
			if entry.rewritten > 0 {
				entry.rewritten--
				return nil
			}
			s.history.remove(e.ItemID)
		}
	case ItemRetrieved:
		s.resolve(e.Item)
	case TranscriptionDone:
		if entry := s.history.find(e.ItemID); entry != nil {
			entry.say(e.ContentIndex, e.Transcript)
			entry.known, entry.speech = true, nil
			s.history.weigh(entry)
		}
	case TranscriptionFailed:
		if entry := s.history.find(e.ItemID); entry != nil {
			entry.known = true
		}
	case TranscriptDelta:
		s.bookText(e.ContentRef, e.Delta, false)
	case TranscriptDone:
		s.bookText(e.ContentRef, e.Transcript, true)
	case TextDelta:
		s.bookText(e.ContentRef, e.Delta, false)
	case TextDone:
		s.bookText(e.ContentRef, e.Text, true)
	case ResponseCreated:
		if s.responses.created(e.Response) {
			s.due = false
		}
	case ResponseDone:
		if !s.responses.done(e.Response) {
			s.stats.malformed.Add(1)
			return []Event{Unknown{Type: "response.done", Err: errEndedTwice}}
		}
		_ = s.pump() // fails only when the session is about to end
		if err := e.Response.Err(); err != nil && err.Kind() == Fatal {
			s.condemn(*err)
		}
	case ErrorEvent:
		s.refused(e.Error)
	}
	return []Event{event}
}

// onOurClock turns milliseconds of the connection into those of the session.
func (s *Session) onOurClock(ms int64) int64 {
	return ms + s.cfg.Properties.InputAudioFormat.Duration(s.out.clock()).Milliseconds()
}

// position returns the byte of the outbox at a millisecond of the connection.
func (s *Session) position(ms int64) int64 {
	return s.out.clock() + s.cfg.Properties.InputAudioFormat.Bytes(time.Duration(ms)*time.Millisecond)
}

// bookTurn notes that audio has become an item. Only the latest turn's is kept:
// it may be what a response is owed to.
func (s *Session) bookTurn(e InputCommitted) {
	var speech []byte
	if s.turn.ended && s.turn.item == e.ItemID {
		speech = s.out.committed(s.turn.start, s.turn.end)
		s.due = s.props.current().TurnDetection.responds()
	} else if at, ok := s.out.answered(); ok {
		speech = s.out.committed(0, at)
	}
	s.speaking = false
	s.turn = turn{}
	s.listen()
	s.history.forgetSpeech()
	entry := s.history.find(e.ItemID)
	if entry == nil {
		entry = newEntry(Item{ID: e.ItemID, Type: "message", Role: "user"})
		s.history.insert(entry, e.PreviousItemID)
	}
	if s.cfg.repairs() && !entry.known {
		entry.speech = speech
	}
}

// responds tells whether a response follows a turn without being asked for.
func (t *TurnDetection) responds() bool {
	return t == nil || t.Type != NoDetection && (t.CreateResponse == nil || *t.CreateResponse)
}

// bookAdded notes an item; the handler is told of it once.
func (s *Session) bookAdded(e ItemAdded) []Event {
	entry := s.history.find(e.Item.ID)
	switch {
	case entry == nil:
		entry = newEntry(e.Item)
		s.history.insert(entry, e.PreviousItemID)
	case entry.origin == OriginOurs:
		entry.created = ""
		if !entry.added {
			s.history.place(entry, e.PreviousItemID)
		}
	case !entry.restored:
		entry.take(e.Item)
		s.history.weigh(entry)
	}
	if entry.added {
		return nil
	}
	entry.added = true
	e.Origin = entry.origin
	if entry.origin == OriginModel {
		return []Event{e}
	}
	// Not every server says so, but nothing is added to it.
	return append([]Event{e}, s.bookDone(e.Item)...)
}

// bookDone notes that an item is complete; the handler is told of it once.
func (s *Session) bookDone(item Item) []Event {
	entry := s.history.find(item.ID)
	if entry == nil {
		entry = newEntry(item)
		s.history.append(entry)
	}
	if entry.done {
		return nil
	}
	entry.done = true
	if entry.origin != OriginOurs && !entry.restored {
		entry.take(item)
		s.history.weigh(entry)
	}
	entry.finish()
	return []Event{ItemDone{Item: item, Origin: entry.origin}}
}

// bookText notes words of an item: more of them, or all.
func (s *Session) bookText(at ContentRef, text string, all bool) {
	entry := s.history.find(at.ItemID)
	if entry == nil {
		return
	}
	s.responses.progress(at.ResponseID, false)
	switch {
	case !all:
		entry.add(at.ContentIndex, text)
	case text != "":
		entry.say(at.ContentIndex, text)
	}
	s.history.weigh(entry)
}

// bookAudio notes audio of the model, and tells whether it is to be handed on.
func (s *Session) bookAudio(l *link, d AudioDelta) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != l {
		return false
	}
	if e := s.history.sounding(d.ItemID); e != nil {
		e.received += int64(len(d.Audio))
		s.responses.sounded(d.ResponseID)
	}
	return true
}

// refused books what an error means for what is under way. The caller holds mu.
func (s *Session) refused(e ErrorDetail) {
	if e.Kind() == Fatal {
		s.condemn(e)
	}
	// What cannot be queued now will not be missed: the session is closed, or
	// its socket is stuck and about to be lost.
	if s.responses.refused(e) {
		_ = s.pump()
	}
	if retry, ok := s.props.refused(e); ok {
		_ = s.sendUpdate(retry)
	}
	switch e.Request() {
	case itemCreate:
		s.history.refused(e.EventID)
	case audioCommit, audioClear:
		s.out.answered()
	}
	s.rejectRetrieval(e)
}

// condemn ends the connection for an error after which it is of no use, though
// not before the server's last words.
func (s *Session) condemn(e ErrorDetail) {
	s.fatal = &e
	if s.link != nil {
		s.link.expire(lastWords)
	}
}

// listen decides how much of the caller's audio is kept for another connection:
// little while a server that detects turns hears nobody. A turn lasts until it is
// an item. The caller holds mu.
func (s *Session) listen() {
	d := s.props.current().TurnDetection
	if s.speaking || s.turn.ended || d != nil && d.Type == NoDetection {
		s.out.setLull(0)
		return
	}
	keep := lullTime
	if d != nil && d.PrefixPaddingMS != nil {
		keep += time.Duration(*d.PrefixPaddingMS) * time.Millisecond
	}
	s.out.setLull(int(s.cfg.Properties.InputAudioFormat.Bytes(keep)))
}
