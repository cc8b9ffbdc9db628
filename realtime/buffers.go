package realtime

import "sync"

// buffer holds one message of a server's while it is handled, and the audio in
// it. Between two messages a connection has none.
type buffer struct {
	message, audio []byte
}

const (
	// smallBuffer holds most audio deltas.
	smallBuffer = 8 << 10
	// A buffer that one large message made grow beyond this is let go.
	keepBuffer = 256 << 10
)

var buffers = sync.Pool{New: func() any { return &buffer{message: make([]byte, 0, smallBuffer)} }}

// release gives a buffer back; nil is none.
func (b *buffer) release() {
	if b != nil && cap(b.message) <= keepBuffer {
		buffers.Put(b)
	}
}
