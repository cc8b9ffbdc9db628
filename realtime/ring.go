package realtime

// ring keeps caller audio, oldest first: what has left but may have to leave
// again, then what has not left yet. It starts small and doubles up to its
// limits; one that keeps nothing gives the memory back when it has run empty.
// When it is full, the oldest audio goes.
type ring struct {
	buf    []byte
	start  int // of the oldest byte
	length int
	left   int // of length: bytes that have left

	initial int // bytes of the first buffer
	limit   int // bytes that may wait to leave
	keep    int // bytes kept in all, 0: none that have left
	sample  int // bytes of one sample: no sample is ever split
}

// waiting returns how many bytes have not left.
func (r *ring) waiting() int { return r.length - r.left }

// write stores a copy of audio and returns how many older bytes that had not
// left it cost.
func (r *ring) write(audio []byte) (dropped int) {
	if len(audio) == 0 {
		return 0
	}
	if over := len(audio) - r.limit; over > 0 {
		over = r.whole(over)
		audio, dropped = audio[over:], over
	}
	if over := r.waiting() + len(audio) - r.limit; over > 0 {
		over = min(r.whole(over), r.waiting())
		r.discard(r.left + over)
		dropped += over
	}
	if over := r.length + len(audio) - max(r.keep, r.limit); over > 0 {
		r.discard(min(r.whole(over), r.left))
	}
	r.grow(r.length + len(audio))
	end := (r.start + r.length) % len(r.buf)
	n := copy(r.buf[end:], audio)
	copy(r.buf, audio[n:])
	r.length += len(audio)
	return dropped
}

// read copies the oldest bytes that have not left into dst and returns how many.
func (r *ring) read(dst []byte) int {
	dst = dst[:min(len(dst), r.waiting())]
	r.copy(dst, r.left)
	r.left += len(dst)
	if r.keep == 0 {
		r.discard(r.left)
	}
	return len(dst)
}

// copy fills dst from the bytes behind the oldest skip.
func (r *ring) copy(dst []byte, skip int) {
	if len(dst) == 0 {
		return
	}
	n := copy(dst, r.buf[(r.start+skip)%len(r.buf):])
	copy(dst[n:], r.buf)
}

// discard forgets the n oldest bytes.
func (r *ring) discard(n int) {
	r.length -= n
	r.left = max(0, r.left-n)
	if r.length > 0 {
		r.start = (r.start + n) % len(r.buf)
		return
	}
	r.start = 0
	if r.keep == 0 && len(r.buf) > 4*r.initial {
		r.buf = nil // the backlog is over
	}
}

// grow makes room for size bytes in all.
func (r *ring) grow(size int) {
	if size <= len(r.buf) {
		return
	}
	capacity := max(len(r.buf), r.initial)
	for capacity < size {
		capacity *= 2
	}
	buf := make([]byte, min(capacity, max(r.keep, r.limit)))
	n := copy(buf, r.buf[r.start:min(r.start+r.length, len(r.buf))])
	copy(buf[n:r.length], r.buf)
	r.buf, r.start = buf, 0
}

// shrink gives memory back that a long turn has taken.
func (r *ring) shrink() {
	capacity := r.initial
	for capacity < r.length {
		capacity *= 2
	}
	if 2*capacity >= len(r.buf) {
		return
	}
	buf := make([]byte, capacity)
	r.copy(buf[:r.length], 0)
	r.buf, r.start = buf, 0
}

// whole rounds n up to whole samples.
func (r *ring) whole(n int) int { return (n + r.sample - 1) / r.sample * r.sample }
