package realtime

import (
	"slices"
	"strings"
	"time"
)

// Origin says who brought an item into the conversation.
type Origin string

// The origins.
const (
	OriginOurs   Origin = "ours"   // this program: initial items, notes, results of functions
	OriginCaller Origin = "caller" // what the caller said
	OriginModel  Origin = "model"
)

// Entry is one item of the conversation, with what became of it.
type Entry struct {
	Item   Item
	Origin Origin
	// Generated is the text of a message: all that the model made of it, what
	// was transcribed of the caller (empty until that comes, if ever), or what
	// was written. Heard is the part of it that the caller heard, estimated from
	// the audio and cut between words.
	Generated, Heard string
	// AudioHeard of AudioReceived reached the caller, of an item that sounds.
	AudioHeard, AudioReceived time.Duration
}

// History returns the conversation as far as it is known, in its order: what it
// began with and, of a long one, the newest (see [ConversationCut]).
func (s *Session) History() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Entry, 0, len(s.history.entries))
	for _, e := range s.history.entries {
		heard, received := s.heard(e)
		list = append(list, Entry{
			Item: e.item, Origin: e.origin, Generated: e.text(), Heard: s.heardText(e),
			AudioHeard: heard, AudioReceived: received,
		})
	}
	return list
}

// history is what is known of the conversation, in its order. The session
// serialises its methods.
type history struct {
	entries []*entry
	latest  *entry // found last
	pinned  int    // entries that the conversation began with
	bytes   int    // of all others
	isCut   bool   // some were let go
	told    bool   // which the handler knows
}

// entry is one item.
type entry struct {
	item     Item
	origin   Origin
	parts    []string // text by content index
	known    bool     // the caller's words came, or never will
	speech   []byte   // the caller's audio, until his words come
	complete bool     // nothing is added any more
	received int64    // bytes of the model's audio
	heardTo  time.Duration
	isCut    bool // at heardTo
	at       time.Time

	created     string // event id of our conversation.item.create, until it is answered
	added, done bool   // the handler knows
	restored    bool   // the present connection has it as text
	rewritten   int    // deletions under way that are not the end of it
	pinned      bool   // the conversation began with it
	weight      int    // in history.bytes
}

// maxItemID is how long an id may be that a client chooses.
const maxItemID = 32

// wireID is the item's id at the server: a client cannot give every id again
// that a server has chosen.
func (e *entry) wireID() string {
	if e.restored {
		return clientID(e.item.ID)
	}
	return e.item.ID
}

func clientID(id string) string { return id[:min(len(id), maxItemID)] }

func (e *entry) text() string { return strings.Join(e.parts, " ") }

// part returns the text of a content part.
func (e *entry) part(index int) *string {
	index = max(0, min(index, 63)) // a peer's number must not take memory
	for len(e.parts) <= index {
		e.parts = append(e.parts, "")
	}
	return &e.parts[index]
}

// take takes over what the server says of the item; texts that it leaves out
// stay known.
func (e *entry) take(item Item) {
	if item.Type == "" {
		return
	}
	e.item = item.lean()
	for i, c := range item.Content {
		if text := c.Text + c.Transcript; text != "" {
			e.say(i, text)
			e.known = true
		}
	}
}

// finish notes that nothing is added to the item any more.
func (e *entry) finish() {
	e.complete = true
	if e.item.Status == "" {
		e.item.Status = "completed"
	}
}

func (e *entry) cut(at time.Duration) { e.heardTo, e.isCut = max(0, at), true }

// find returns the entry of an item, under either of its ids, or nil.
func (h *history) find(id string) *entry {
	if i := h.index(id); i >= 0 {
		return h.entries[i]
	}
	return nil
}

// sounding is find for the audio path.
func (h *history) sounding(id []byte) *entry {
	if h.latest == nil || h.latest.item.ID != string(id) {
		h.latest = nil
		for _, e := range h.entries {
			if e.item.ID == string(id) {
				h.latest = e
			}
		}
	}
	return h.latest
}

// index is the place of an item, or -1. The newest are asked for most.
func (h *history) index(id string) int {
	for i := len(h.entries) - 1; i >= 0; i-- {
		if e := h.entries[i]; e.item.ID == id || e.restored && e.wireID() == id {
			return i
		}
	}
	return -1
}

// newEntry returns the entry of an item that the server has told of.
func newEntry(item Item) *entry {
	e := &entry{origin: originOf(item), at: time.Now()}
	e.take(item)
	return e
}

// ours returns the entry of an item that this program creates.
func ours(item Item) *entry {
	e := &entry{origin: OriginOurs, at: time.Now()}
	e.take(item)
	e.item = item // as it is, for it may have to be created again
	e.finish()
	return e
}

func (h *history) append(e *entry) {
	h.insertAt(len(h.entries), e)
}

// insert puts e behind another item, or last if that is unknown.
func (h *history) insert(e *entry, previous string) {
	at := len(h.entries)
	if i := h.index(previous); i >= 0 && previous != "" {
		at = i + 1
	}
	h.insertAt(at, e)
}

// place moves e behind another item if it is known.
func (h *history) place(e *entry, previous string) {
	i := h.index(previous)
	if previous == "" || i < 0 || i+1 < len(h.entries) && h.entries[i+1] == e {
		return
	}
	h.remove(e.item.ID)
	h.insert(e, previous)
}

func (h *history) remove(id string) {
	if i := h.index(id); i >= 0 {
		h.delete(i)
	}
}

// refused removes the item whose creation an error answers.
func (h *history) refused(event string) {
	for _, e := range h.entries {
		if event != "" && e.created == event {
			h.remove(e.item.ID)
			return
		}
	}
}

// before returns the id, at the server, of the item before e.
func (h *history) before(e *entry) string {
	if i := slices.Index(h.entries, e); i > 0 {
		return h.entries[i-1].wireID()
	}
	return "root"
}

// forgetSpeech drops the audio of all turns.
func (h *history) forgetSpeech() {
	for _, e := range h.entries {
		e.speech = nil
	}
}

// untranscribed tells whether the caller's latest words may still come.
func (h *history) untranscribed(now time.Time) bool {
	for i := len(h.entries) - 1; i >= 0; i-- {
		if e := h.entries[i]; e.origin == OriginCaller {
			return !e.known && now.Sub(e.at) < transcriptionTime
		}
	}
	return false
}

// transcriptionTime is how long a transcript is waited for.
const transcriptionTime = 5 * time.Second

func originOf(item Item) Origin {
	if item.Type == "message" && item.Role == "user" {
		return OriginCaller
	}
	return OriginModel
}
