package realtime

import "sync"

// buffer holds one message of a server's, or the audio in it, while it is
// handled. Between two messages a connection has none.
type buffer struct {
	bytes []byte
	room  [smallBuffer]byte // where bytes begin: one allocation
}

const (
	// smallBuffer holds most audio deltas, and with bytes it fills 8 KiB.
	smallBuffer = 8<<10 - 24
	// A buffer that one large message made grow beyond this is let go.
	keepBuffer = 256 << 10
)

var buffers = sync.Pool{New: func() any {
	b := &buffer{}
	b.bytes = b.room[:0]
	return b
}}

// release gives a buffer back; nil is none.
func (b *buffer) release() {
	if b != nil && cap(b.bytes) <= keepBuffer {
		buffers.Put(b)
	}
}
