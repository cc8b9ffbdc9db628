package mediastreamtest

// playout is the carrier's buffer of audio for the caller: played in the order
// received. Its positions count the bytes received.
type playout struct {
	audio    []byte // audio[head:] is to be played
	head     int
	marks    []queuedMark
	received int64
	played   int64 // ever
	taken    int64 // played or dropped
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

// mark queues a mark behind what is buffered. It returns true if nothing is:
// then the echo is due at once.
func (p *playout) mark(name string) bool {
	if p.taken == p.received {
		return true
	}
	p.marks = append(p.marks, queuedMark{name, p.received})
	return false
}

// play moves up to len(frame) bytes into frame and returns how many. Marks that
// this reaches are handed to echo.
func (p *playout) play(frame []byte, echo func(name string)) int {
	n := copy(frame, p.audio[p.head:])
	p.head += n
	p.played += int64(n)
	p.taken += int64(n)
	reached := 0
	for reached < len(p.marks) && p.marks[reached].end <= p.taken {
		echo(p.marks[reached].name)
		reached++
	}
	p.marks = p.marks[:copy(p.marks, p.marks[reached:])]
	return n
}

// clear empties the buffer and hands all marks to echo. It returns how much was
// dropped.
func (p *playout) clear(echo func(name string)) int64 {
	dropped := p.received - p.taken
	p.taken = p.received
	p.audio, p.head = p.audio[:0], 0
	for _, m := range p.marks {
		echo(m.name)
	}
	p.marks = p.marks[:0]
	return dropped
}
