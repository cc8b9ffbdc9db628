package playout

import "sync"

// blockBytes is half a second of G.711: large enough that a burst takes few
// blocks, small enough that an idle call holds little.
const blockBytes = 4096

type block struct {
	buf  [blockBytes]byte
	next *block
}

var blocks = sync.Pool{New: func() any { return new(block) }}

// stream stores the bytes from heard to received in a chain of pooled blocks.
type stream struct {
	first, last *block // nil when nothing was ever stored
	start       int    // offset in first of the byte at position heard
	end         int    // offset in last behind the newest byte
	read        cursor // of the byte at position sent
}

type cursor struct {
	block *block
	off   int
}

// write appends p.
func (s *stream) write(p []byte) {
	if s.last == nil {
		s.first = blocks.Get().(*block)
		s.last, s.start, s.end = s.first, 0, 0
		s.read = cursor{s.first, 0}
	}
	for len(p) > 0 {
		if s.end == blockBytes {
			b := blocks.Get().(*block)
			s.last.next, s.last, s.end = b, b, 0
		}
		n := copy(s.last.buf[s.end:], p)
		s.end += n
		p = p[n:]
	}
}

// take copies the next len(p) bytes into p; the caller knows that they exist.
func (s *stream) take(p []byte) {
	for len(p) > 0 {
		if s.read.off == blockBytes {
			s.read = cursor{s.read.block.next, 0}
		}
		n := copy(p, s.read.block.buf[s.read.off:])
		s.read.off += n
		p = p[n:]
	}
}

// rewind makes what was read and not released be read again.
func (s *stream) rewind() { s.read = cursor{s.first, s.start} }

// release forgets the n oldest bytes, all of them read.
func (s *stream) release(n int64) {
	for n > 0 {
		if s.start == blockBytes {
			b := s.first
			if s.read.block == b {
				s.read = cursor{b.next, 0}
			}
			s.first, s.start = b.next, 0
			b.next = nil
			blocks.Put(b)
		}
		step := min(n, int64(blockBytes-s.start))
		s.start += int(step)
		n -= step
	}
}

// clear forgets everything.
func (s *stream) clear() {
	for b := s.first; b != nil; {
		next := b.next
		b.next = nil
		blocks.Put(b)
		b = next
	}
	*s = stream{}
}
