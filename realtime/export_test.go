package realtime

import (
	"context"
	"time"
)

// Seams for tests.

// Decode is what a session makes of one message that is not audio.
func Decode(msg []byte) (Event, error) { return decode(msg) }

// DeltaDecoder decodes audio deltas.
type DeltaDecoder struct{ into buffer }

// Decode decodes one.
func (d *DeltaDecoder) Decode(msg []byte) (AudioDelta, error) { return decodeDelta(msg, &d.into) }

// Outbox is what waits for the socket.
type Outbox = outbox

// NewOutbox returns an empty one.
func NewOutbox(f AudioFormat) *Outbox { return newOutbox(f, 0) }

// NewKeeper returns an outbox that keeps what has left, for a time.
func NewKeeper(f AudioFormat, keep time.Duration) *Outbox { return newOutbox(f, keep) }

// Detach and Attach are the end of one connection and the beginning of the next.
func (o *outbox) Detach() { o.detach() }
func (o *outbox) Attach() { o.attach(nil, GA, nil) }

// Committed notes that audio has become an item, and returns it.
func (o *outbox) Committed(from, to int64) []byte { return o.committed(from, to) }

// Append stores audio and returns what it cost.
func (o *outbox) Append(audio []byte) int {
	dropped, _ := o.append(audio)
	return dropped
}

// Post queues a control event.
func (o *outbox) Post(msg string) error { return o.post(draft{}, []byte(msg)) }

// Next returns the next control event or audio.
func (o *outbox) Next(limit int) (msg string, audio []byte) {
	chunk := make([]byte, limit)
	m, n, _ := o.next(nil, chunk)
	return string(m), chunk[:n]
}

// Room returns how many bytes of memory the audio has.
func (o *outbox) Room() int { return len(o.audio.buf) }

// Receive is the way of one message through a session.
func (s *Session) Receive(msg []byte) { s.deliver(nil, s.receive(nil, msg)) }

// Take is the way of one append from the outbox to the frame that is written.
func (w *writer) take() []byte {
	_, n, _ := w.out.next(w.link, w.chunk)
	return w.appender.encode(w.chunk[:n])
}

// Frames returns a function that makes the next append of what s has been given.
func (s *Session) Frames() func() []byte {
	return newWriter(nil, s.out, s.cfg.Properties.InputAudioFormat, &s.stats).take
}

// CutWords returns a share of a text, in whole words.
func CutWords(text string, share float64) string { return cutWords(text, share) }

// Perform carries a function call from its item to its answer, and returns what
// it has queued for the socket first.
func (s *Session) Perform(item Item) string {
	s.mu.Lock()
	s.hire = func(work func(context.Context)) { work(context.Background()) }
	start := s.bookItem(item, "r1")
	s.mu.Unlock()
	if start != nil {
		start()
	}
	msg, _ := s.out.Next(0)
	return msg
}

// SetLull says how much is kept that has left, while nobody speaks.
func (o *outbox) SetLull(bytes int) { o.setLull(bytes) }

// Kept returns how much audio there is.
func (o *outbox) Kept() int { return o.uncommitted() }
