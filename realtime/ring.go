package realtime

// ring keeps caller audio that has not left yet, oldest first. It starts small,
// doubles under backlog up to limit bytes, and gives the memory back when it
// has run empty. When it is full, the oldest audio goes.
type ring struct {
	buf    []byte
	start  int // of the oldest byte
	length int

	initial int // bytes of the first buffer
	limit   int // bytes kept at most
	sample  int // bytes of one sample: no sample is ever split
}

// write stores a copy of audio and returns how many older bytes it cost.
func (r *ring) write(audio []byte) (dropped int) {
	if len(audio) == 0 {
		return 0
	}
	if over := len(audio) - r.limit; over > 0 {
		over = r.whole(over)
		audio, dropped = audio[over:], over
	}
	if over := r.length + len(audio) - r.limit; over > 0 {
		over = min(r.whole(over), r.length)
		r.discard(over)
		dropped += over
	}
	r.grow(r.length + len(audio))
	end := (r.start + r.length) % len(r.buf)
	n := copy(r.buf[end:], audio)
	copy(r.buf, audio[n:])
	r.length += len(audio)
	return dropped
}

// read moves the oldest bytes into dst and returns how many.
func (r *ring) read(dst []byte) int {
	dst = dst[:min(len(dst), r.length)]
	n := copy(dst, r.buf[r.start:])
	copy(dst[n:], r.buf)
	r.discard(len(dst))
	return len(dst)
}

func (r *ring) discard(n int) {
	r.length -= n
	if r.length > 0 {
		r.start = (r.start + n) % len(r.buf)
		return
	}
	r.start = 0
	if len(r.buf) > 4*r.initial {
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
	buf := make([]byte, min(capacity, r.limit))
	n := copy(buf, r.buf[r.start:min(r.start+r.length, len(r.buf))])
	copy(buf[n:r.length], r.buf)
	r.buf, r.start = buf, 0
}

// whole rounds n up to whole samples.
func (r *ring) whole(n int) int { return (n + r.sample - 1) / r.sample * r.sample }
