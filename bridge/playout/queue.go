package playout

import (
	"errors"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// Defaults of [Config].
const (
	DefaultLead  = 60 * time.Millisecond
	MaxLead      = 240 * time.Millisecond
	DefaultLimit = 32 << 20
)

// ErrFull is returned by Write when the queue holds Config.Limit bytes, or audio
// of more items than anybody speaks at a time.
var ErrFull = errors.New("playout: the queue is full")

// Config of a queue.
type Config struct {
	// Ahead says that the leg writes ahead of the caller's ear and reports
	// positions with Heard. Otherwise what Next hands out is heard.
	Ahead bool
	// Lead is how much audio must be queued before an item that is still being
	// generated begins to sound; each underrun doubles it, up to MaxLead.
	// Default DefaultLead.
	Lead time.Duration
	// Limit is how many bytes the queue holds at most. Default DefaultLimit,
	// more than an hour.
	Limit int64

	// Started is called when an item begins to sound, Drained when all that was
	// received has been heard and no more is being generated, Underrun when
	// audio ran out in the middle of an item. Each may be nil, is called from
	// the goroutine that caused it, and must not block.
	Started  func(Ref)
	Drained  func()
	Underrun func()
}

// Queue is a call's playout queue and its ledger.
type Queue struct {
	cfg   Config
	ready chan struct{}

	mu       sync.Mutex
	stream   stream
	ledger   ledger
	received int64 // positions in the stream
	sent     int64
	heard    int64
	lead     int64 // bytes
	playing  bool  // audio is being handed out, frame upon frame
	shift    int64 // how far the leg's positions are ahead: what was rewound
	sounded  bool  // since the last time the queue drained
	paused   bool
	gaps     int64 // underruns
}

// New returns an empty queue.
func New(cfg Config) *Queue {
	if cfg.Lead == 0 {
		cfg.Lead = DefaultLead
	}
	if cfg.Limit == 0 {
		cfg.Limit = DefaultLimit
	}
	return &Queue{cfg: cfg, ready: make(chan struct{}, 1), lead: media.Bytes(cfg.Lead)}
}

// Begin books that the server begins a response.
func (q *Queue) Begin(responseID string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ledger.running([]byte(responseID)) == nil {
		q.ledger.begin(responseID)
	}
}

// Item books that a response has an item whose audio will follow, in a content
// part that is not known yet. It returns false if the response was interrupted:
// then the item will never be heard.
func (q *Queue) Item(responseID, itemID string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ledger.wasCut([]byte(responseID)) {
		return false
	}
	if len(q.ledger.items) == maxItems || q.ledger.over([]byte(responseID)) != nil {
		return true // its audio, if any comes, is booked all the same
	}
	q.ledger.items = append(q.ledger.items, &item{ref: Ref{ResponseID: responseID, ItemID: itemID}})
	return true
}

// Write queues audio of an item; it keeps nothing of its arguments. Audio of an
// interrupted response is dropped, which kept reports.
func (q *Queue) Write(responseID, itemID []byte, content int, p []byte) (kept bool, err error) {
	if len(p) == 0 {
		return false, nil
	}
	q.mu.Lock()
	it, err := q.item(responseID, itemID, content)
	if it == nil {
		q.mu.Unlock()
		return false, err
	}
	if q.received-q.heard+int64(len(p)) > q.cfg.Limit {
		q.mu.Unlock()
		return false, ErrFull
	}
	before := q.due()
	// A leg that writes ahead has run dry only when all it took was heard.
	underrun := q.cfg.Ahead && it.sent > 0 && q.heard == q.received
	if underrun {
		q.gap()
	}
	q.stream.write(p)
	q.ledger.received(it, int64(len(p)))
	q.received += int64(len(p))
	q.wake(before)
	q.mu.Unlock()
	if underrun && q.cfg.Underrun != nil {
		q.cfg.Underrun()
	}
	return true, nil
}

// item returns the ledger's entry for audio that arrives, nil if its response
// was interrupted.
func (q *Queue) item(responseID, itemID []byte, content int) (*item, error) {
	if it := q.ledger.find(responseID, itemID, content); it != nil {
		return it, nil
	}
	if q.ledger.wasCut(responseID) {
		return nil, nil
	}
	over := q.ledger.over(responseID) != nil // what comes now is late, and all there is
	if !over && q.ledger.running(responseID) == nil {
		// Not every server announces its responses.
		q.ledger.begin(string(responseID))
	}
	if it := q.ledger.promised(responseID, itemID); it != nil {
		it.ref.ContentIndex = content
		return it, nil
	}
	if !q.ledger.room() {
		return nil, ErrFull
	}
	it := &item{ref: Ref{string(responseID), string(itemID), content}, complete: over}
	q.ledger.items = append(q.ledger.items, it)
	return it, nil
}

// EndItem books that an item's audio is complete.
func (q *Queue) EndItem(ref Ref) {
	q.mu.Lock()
	before := q.due()
	if it := q.ledger.find([]byte(ref.ResponseID), []byte(ref.ItemID), ref.ContentIndex); it != nil {
		q.ledger.completed(it)
	}
	q.wake(before)
	q.mu.Unlock()
}

// End books that a response is complete: its items are, and nothing more of it
// will come.
func (q *Queue) End(responseID string) {
	q.mu.Lock()
	before := q.due()
	q.ledger.end(responseID)
	q.wake(before)
	drained := q.drained()
	q.mu.Unlock()
	if drained && q.cfg.Drained != nil {
		q.cfg.Drained()
	}
}

// Next implements [media.Downlink].
func (q *Queue) Next(p []byte) int {
	q.mu.Lock()
	due := q.due()
	n := int(min(due, int64(len(p))))
	underrun := n == 0 && q.playing && !q.paused && !q.cfg.Ahead && q.unfinished()
	if underrun {
		q.gap()
	}
	q.playing = n > 0 || q.playing && q.paused
	var started *item
	if n > 0 {
		q.stream.take(p[:n])
		started = q.ledger.sent(int64(n))
		q.sent += int64(n)
		q.sounded = true
		if !q.cfg.Ahead {
			q.advance(q.sent)
		}
	}
	drained := q.drained()
	q.mu.Unlock()
	if started != nil && q.cfg.Started != nil {
		q.cfg.Started(started.ref)
	}
	if underrun && q.cfg.Underrun != nil {
		q.cfg.Underrun()
	}
	if drained && q.cfg.Drained != nil {
		q.cfg.Drained()
	}
	return n
}

// Ready implements [media.Downlink].
func (q *Queue) Ready() <-chan struct{} { return q.ready }

// Heard implements [media.Downlink]. Positions that were passed already, as
// those of an interrupted playout are, change nothing.
func (q *Queue) Heard(pos int64) {
	q.mu.Lock()
	q.advance(min(pos-q.shift, q.sent))
	drained := q.drained()
	q.mu.Unlock()
	if drained && q.cfg.Drained != nil {
		q.cfg.Drained()
	}
}

// Pause makes Next hand out nothing until Resume.
func (q *Queue) Pause() {
	q.mu.Lock()
	q.paused = true
	q.mu.Unlock()
}

// Rewind takes back what was handed out beyond position pos and not heard: Next
// will hand it out again. It is for legs that were flushed in order to stop, and
// perhaps to go on at the sample where the caller was.
func (q *Queue) Rewind(pos int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(min(pos-q.shift, q.sent))
	back := q.sent - q.heard
	q.ledger.rewind()
	q.stream.rewind()
	q.sent -= back
	q.shift += back
	q.playing = false
}

// Resume ends a Pause; audio goes on at the sample where it stopped.
func (q *Queue) Resume() {
	q.mu.Lock()
	before := q.due()
	q.paused = false
	q.wake(before)
	q.mu.Unlock()
}

// State is a snapshot of a queue's positions, in bytes.
type State struct {
	Received, Sent, Heard int64
	Generating            bool  // a response may still bring audio
	Underruns             int64 // times that audio ran out in the middle of an item
}

// Sounding reports that the caller hears audio, or is about to.
func (s State) Sounding() bool { return s.Received > s.Heard }

// State returns the queue's positions.
func (q *Queue) State() State {
	q.mu.Lock()
	defer q.mu.Unlock()
	return State{q.received, q.sent, q.heard, q.ledger.generating(), q.gaps}
}

// Progress returns how much of an item was heard so far, of how much. It is false for items that were heard to their end, or cut.
func (q *Queue) Progress(itemID string) (heard, received int64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, it := range q.ledger.items {
		if it.ref.ItemID == itemID {
			return it.heard, it.received, true
		}
	}
	return 0, 0, false
}

// due returns how many bytes may be handed out now. While the newest item is
// still being generated only whole frames are, so that its audio is never torn
// by silence, and after a gap none until the lead has built up.
func (q *Queue) due() int64 {
	n := q.received - q.sent
	if q.paused || n == 0 {
		return 0
	}
	if !q.unfinished() {
		return n
	}
	if !q.flowing() && n < q.lead {
		return 0
	}
	return n - n%media.FrameBytes
}

// unfinished reports that more audio of the newest item is to come.
func (q *Queue) unfinished() bool {
	it := q.ledger.last
	return it != nil && !it.complete
}

// flowing reports that audio is sounding, so that what follows joins it.
func (q *Queue) flowing() bool {
	if q.cfg.Ahead {
		return q.sent > q.heard
	}
	return q.playing
}

// gap books an underrun.
func (q *Queue) gap() {
	q.gaps++
	q.lead = min(2*q.lead, media.Bytes(MaxLead))
}

// wake signals Ready if audio has become due.
func (q *Queue) wake(before int64) {
	if before == 0 && q.due() > 0 {
		select {
		case q.ready <- struct{}{}:
		default:
		}
	}
}

// advance books the stream as heard up to pos.
func (q *Queue) advance(pos int64) {
	if n := pos - q.heard; n > 0 {
		q.ledger.heard(n)
		q.stream.release(n)
		q.heard = pos
	}
}

// drained reports, once, that all has been heard and nothing more is to come.
func (q *Queue) drained() bool {
	if !q.sounded || q.heard < q.received || q.ledger.generating() {
		return false
	}
	q.sounded = false
	return true
}
