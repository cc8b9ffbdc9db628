package realtime

import (
	"sync"
	"time"
)

const (
	chunkTime   = 100 * time.Millisecond // of audio in one append at most
	initialTime = 200 * time.Millisecond // of audio that a session keeps room for
	backlogTime = 5 * time.Second        // of audio kept while it cannot be sent
	replayTime  = 15 * time.Second       // of audio kept until the server has made an item of it
	lullTime    = 2 * time.Second        // of it while the server hears nobody: an onset that it has yet to tell of

	maxControl = 1024 // events that may wait for the socket
	maxMarks   = 16   // commits and clears that may be unanswered: whoever owes more answers none
)

// outbox is what waits for the socket: caller audio and control events, in one
// order. It outlives the socket, so that nothing said while there is none is
// lost: it keeps the audio that no server has made an item of, and gives it to
// the next. It starts no goroutine; wake tells the writer that something came.
type outbox struct {
	wake chan struct{}

	mu      sync.Mutex
	audio   ring
	backlog int   // the ring's limit while a server takes what comes
	written int64 // position behind the newest byte: all audio ever appended
	origin  int64 // position at which the server's clock began
	lull    int   // bytes kept that have left, while nobody speaks; 0: all that may be
	control []letter
	marks   []letter // commits and clears that left and were not answered, oldest first
	owner   *link    // who may take
	closed  bool
}

// letter is one control event; it leaves behind the audio before position at.
type letter struct {
	at  int64
	msg []byte
	draft
}

// newOutbox returns an outbox for audio of a format, that keeps some which has
// left.
func newOutbox(format AudioFormat, keep time.Duration) *outbox {
	limit := int(format.Bytes(backlogTime))
	return &outbox{
		wake:    make(chan struct{}, 1),
		backlog: limit,
		audio: ring{
			initial: int(format.Bytes(initialTime)),
			limit:   limit,
			keep:    int(format.Bytes(keep)),
			sample:  format.sampleSize(),
		},
	}
}

// append stores audio and returns how many bytes of older audio it cost.
func (o *outbox) append(audio []byte) (dropped int, ok bool) {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return 0, false
	}
	dropped = o.audio.write(audio)
	o.written += int64(len(audio))
	o.origin += int64(dropped)
	o.mu.Unlock()
	o.signal()
	return dropped, true
}

// post queues a control event behind the audio appended so far.
func (o *outbox) post(d draft, msg []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return ErrClosed
	case len(o.control) >= maxControl:
		return ErrBacklog
	}
	o.control = append(o.control, letter{o.written, msg, d})
	o.signal()
	return nil
}

// next returns what leaves next: a control event, or n bytes of audio that it
// has copied into chunk. It is false if somebody else is to take what waits.
func (o *outbox) next(who *link, chunk []byte) (msg []byte, n int, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.owner != who {
		return nil, 0, false
	}
	sent := o.sent()
	if len(o.control) > 0 {
		first := o.control[0]
		if first.at <= sent {
			o.control = o.control[:copy(o.control, o.control[1:])]
			if first.kind == audioCommit || first.kind == audioClear {
				if len(o.marks) == maxMarks {
					o.marks = o.marks[:copy(o.marks, o.marks[1:])]
				}
				o.marks = append(o.marks, first)
			}
			return first.msg, 0, true
		}
		if ahead := first.at - sent; ahead < int64(len(chunk)) {
			chunk = chunk[:ahead]
		}
	}
	n = o.audio.read(chunk)
	if o.lull > 0 {
		o.release(o.sent() - int64(o.lull))
	}
	if o.audio.waiting() == 0 {
		o.audio.limit = o.backlog // whatever a new server had to catch up with
	}
	return nil, n, true
}

// sent is the position behind the newest byte that has left.
func (o *outbox) sent() int64 { return o.written - int64(o.audio.waiting()) }

// kept is the position of the oldest byte there is.
func (o *outbox) kept() int64 { return o.written - int64(o.audio.length) }

// clock returns the position at which the server's clock began.
func (o *outbox) clock() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.origin
}

// uncommitted returns how much audio no server has made an item of.
func (o *outbox) uncommitted() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.audio.length
}

// close forgets all that waits and refuses what comes.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.control, o.marks = nil, nil
	o.audio.buf, o.audio.start, o.audio.length, o.audio.left = nil, 0, 0, 0
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}
