package mediastreamtest

// playout is the carrier's buffer of audio for the caller: played in the order
// received, a frame at a time. Its positions count the bytes received.
type playout struct {
	audio    []byte // audio[head:] is to be played
	head     int
	marks    []queuedMark
	received int64
	played   int64 // ever begun to be played
	taken    int64 // begun to be played, or dropped
	current  int64 // length of the frame that sounds, behind which taken is
}

type queuedMark struct {
	name string
	end  int64
}

func (p *playout) media(audio []byte) {
	if p.head > 0 && p.head == len(p.audio) {
		p.audio, p.head = p.audio[:0], 0
	}
	p.audio = append(p.audio, audio...)
	p.received += int64(len(audio))
}

// mark queues a mark behind what is buffered or sounds. It returns true if
// nothing does: then the echo is due at once.
func (p *playout) mark(name string) bool {
	if p.taken == p.received && p.current == 0 {
		return true
	}
	p.marks = append(p.marks, queuedMark{name, p.received})
	return false
}

// play begins the next frame: it moves up to len(frame) bytes into frame and
// returns how many. Marks that the frame before it reached, which is over now,
// are handed to echo.
func (p *playout) play(frame []byte, echo func(name string)) int {
	reached := 0
	for reached < len(p.marks) && p.marks[reached].end <= p.taken {
		echo(p.marks[reached].name)
		reached++
	}
	p.marks = p.marks[:copy(p.marks, p.marks[reached:])]
	n := copy(frame, p.audio[p.head:])
	p.head += n
	p.current = int64(n)
	p.played += p.current
	p.taken += p.current
	return n
}

// clear empties the buffer and hands all marks to echo. It returns how much was
// dropped of what had not begun to be played.
func (p *playout) clear(echo func(name string)) int64 {
	dropped := p.received - p.taken
	p.taken, p.current = p.received, 0
	p.audio, p.head = p.audio[:0], 0
	for _, m := range p.marks {
		echo(m.name)
	}
	p.marks = p.marks[:0]
	return dropped
}
