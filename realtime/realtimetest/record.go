package realtimetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Event is one message of a session, as it was on the wire.
type Event struct {
	At   time.Duration // since the session's start
	Sent bool          // by the server
	Type string        // empty if it had none
	Raw  []byte
}

// OutputAudio is the audio of one item as it was sent.
type OutputAudio struct {
	ResponseID, ItemID string
	Audio              []byte
	First              time.Duration // when its first delta left
}

// Truncation is a conversation.item.truncate that a client sent.
type Truncation struct {
	At           time.Duration
	ItemID       string
	ContentIndex int
	AudioEndMS   int
	SentMS       int    // of the item's audio by then, less earlier truncations
	Error        *Error // why it was refused, or nil
}

// Deletion is an item that a client deleted.
type Deletion struct {
	At     time.Duration
	ItemID string
	SentMS int // of its audio by then
}

// Violation is something that a client did wrong, whether it was told so by an
// error event or got away with it.
type Violation struct {
	At    time.Duration
	Event string // the client event's type
	Text  string
}

// ErrEnded is returned by waits for what an ended session can no longer do.
var ErrEnded = errors.New("realtimetest: session ended")

// hot are the types of the events that carry audio.
var hot = map[string]bool{"input_audio_buffer.append": true, "response.output_audio.delta": true, "response.audio.delta": true}

// remembered is how many events a session keeps if its server forgets.
const remembered = 256

// record is what a session's observers may see, at any time.
type record struct {
	forget bool

	mu          sync.Mutex
	changed     chan struct{} // closed by the next change; nil if nobody waits
	events      []Event
	input       []byte
	inputBytes  int64
	outputs     []*OutputAudio
	truncations []Truncation
	deletions   []Deletion
	violations  []Violation
	settings    Settings
	items       []Item
	end         *End
}

// change applies one under the lock and wakes who waits.
func (r *record) change(apply func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	apply()
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

func (r *record) event(e Event) {
	r.change(func() {
		if r.forget && len(r.events) >= 2*remembered {
			r.events = append(r.events[:0], r.events[remembered:]...)
		}
		if r.forget && hot[e.Type] {
			e.Raw = nil
		}
		r.events = append(r.events, e)
	})
}

func (r *record) heard(p []byte) {
	r.change(func() {
		r.inputBytes += int64(len(p))
		if !r.forget {
			r.input = append(r.input, p...)
		}
	})
}

func (r *record) spoke(at contentRef, p []byte, now time.Duration) {
	if r.forget {
		return
	}
	r.change(func() {
		n := len(r.outputs)
		if n == 0 || r.outputs[n-1].ItemID != at.item {
			i := slices.IndexFunc(r.outputs, func(o *OutputAudio) bool { return o.ItemID == at.item })
			if i >= 0 {
				r.outputs[i].Audio = append(r.outputs[i].Audio, p...)
				return
			}
			r.outputs = append(r.outputs, &OutputAudio{ResponseID: at.response, ItemID: at.item, First: now})
			n++
		}
		r.outputs[n-1].Audio = append(r.outputs[n-1].Audio, p...)
	})
}

func (r *record) truncate(t Truncation) {
	r.change(func() { r.truncations = appendBounded(r.truncations, t, r.forget) })
}

func (r *record) delete(d Deletion) {
	r.change(func() { r.deletions = appendBounded(r.deletions, d, r.forget) })
}

func (r *record) violation(v Violation) {
	r.change(func() { r.violations = appendBounded(r.violations, v, r.forget) })
}

func appendBounded[T any](list []T, v T, bounded bool) []T {
	if bounded && len(list) >= remembered {
		list = append(list[:0], list[1:]...)
	}
	return append(list, v)
}

// wait returns nil once cond holds, which it evaluates after every change.
func (r *record) wait(ctx context.Context, cond func() bool) error {
	for {
		r.mu.Lock()
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed, ended := r.changed, r.end != nil
		r.mu.Unlock()
		switch {
		case cond():
			return nil
		case ended:
			return ErrEnded
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
