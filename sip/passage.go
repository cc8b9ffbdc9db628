package sip

import (
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

const (
	// passageMost is how much audio waits at most between two phones, in bytes: what
	// exceeds it is what the two clocks differ by, or a burst that came late.
	passageMost = 8 * media.FrameBytes
	// passageLeast is what must have come before it goes on after a gap, so that
	// jitter does not make the next one.
	passageLeast = 2 * media.FrameBytes
)

// passage is one way between two phones that speak the same law: what one says is
// heard by the other, byte by byte. The lock is the two calls' own.
type passage struct {
	far interface {
		SendDigit(d media.Digit, duration time.Duration) error
	}

	mu      sync.Mutex
	queue   [passageMost]byte
	first   int // of the bytes in queue
	waiting int // how many
	flowing bool
}

var (
	_ media.Uplink   = (*passage)(nil)
	_ media.Downlink = (*passage)(nil)
)

func newPassage(far *Call) *passage { return &passage{far: far} }

// Frame takes what one phone says. The oldest goes when there is no room.
func (p *passage) Frame(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b = b[max(0, len(b)-len(p.queue)):]
	if over := p.waiting + len(b) - len(p.queue); over > 0 {
		p.first = (p.first + over) % len(p.queue)
		p.waiting -= over
	}
	end := (p.first + p.waiting) % len(p.queue)
	n := copy(p.queue[end:], b)
	copy(p.queue[:], b[n:])
	p.waiting += len(b)
	p.flowing = p.flowing || p.waiting >= passageLeast
}

// Next gives it to the other.
func (p *passage) Next(b []byte) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.flowing {
		return 0
	}
	want := min(len(b), p.waiting)
	n := copy(b[:want], p.queue[p.first:])
	copy(b[n:want], p.queue[:])
	p.first = (p.first + want) % len(p.queue)
	p.waiting -= want
	p.flowing = want == len(b)
	return want
}

// Digit presses the key at the other side, which hears no telephone-event of ours
// otherwise.
func (p *passage) Digit(d media.Digit) { _ = p.far.SendDigit(d, 0) } // it takes none

// Hold is silence, which Frame brings.
func (p *passage) Hold(bool) {}

// Ready is for legs that would else poll.
func (p *passage) Ready() <-chan struct{} { return nil }

// Heard is for legs whose far end buffers.
func (p *passage) Heard(int64) {}
