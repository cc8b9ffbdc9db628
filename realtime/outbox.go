package realtime

import (
	"sync"
	"time"
)

const (
	chunkTime   = 100 * time.Millisecond // of audio in one append at most
	initialTime = 200 * time.Millisecond // of audio that a session keeps room for
	backlogTime = 5 * time.Second        // of audio kept while it cannot be sent

	maxControl = 1024 // events that may wait for the socket
)

// outbox is what waits for the socket: caller audio and control events, in one
// order. It outlives the socket, so that nothing said while a session opens is
// lost. It starts no goroutine; wake tells the writer that something came.
type outbox struct {
	wake chan struct{}

	mu      sync.Mutex
	audio   ring
	written int64 // position behind the newest byte: all audio ever appended
	control []letter
	pong    []byte // answer to the peer's last ping, nil if none is due
	pinged  bool
	closed  bool
}

// letter is one control event; it leaves behind the audio before position at.
type letter struct {
	at  int64
	msg []byte
}

func newOutbox(format AudioFormat) *outbox {
	initial := int(format.Bytes(initialTime))
	return &outbox{
		wake: make(chan struct{}, 1),
		audio: ring{
			initial: initial,
			limit:   int(format.Bytes(backlogTime)),
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
	o.mu.Unlock()
	o.signal()
	return dropped, true
}

// post queues a control event behind the audio appended so far.
func (o *outbox) post(msg []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return ErrClosed
	case len(o.control) >= maxControl:
		return ErrBacklog
	}
	o.control = append(o.control, letter{o.written, msg})
	o.signal()
	return nil
}

// answer queues the pong for a ping; a later ping replaces it (RFC 6455
// §5.5.3: only the most recent ping needs an answer).
func (o *outbox) answer(ping string) {
	o.mu.Lock()
	o.pong, o.pinged = []byte(ping), true
	o.mu.Unlock()
	o.signal()
}

// next returns what leaves next: a pong, a control event, or n bytes of audio
// that it has moved into chunk.
func (o *outbox) next(chunk []byte) (pong []byte, pinged bool, msg []byte, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pinged {
		pong, o.pong, o.pinged = o.pong, nil, false
		return pong, true, nil, 0
	}
	sent := o.written - int64(o.audio.length)
	if len(o.control) > 0 {
		first := o.control[0]
		if first.at <= sent {
			o.control = o.control[:copy(o.control, o.control[1:])]
			return nil, false, first.msg, 0
		}
		if ahead := first.at - sent; ahead < int64(len(chunk)) {
			chunk = chunk[:ahead]
		}
	}
	return nil, false, nil, o.audio.read(chunk)
}

// close forgets all that waits and refuses what comes.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.control = nil
	o.audio.buf, o.audio.start, o.audio.length = nil, 0, 0
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}
