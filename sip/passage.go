package sip

import (
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/keytone"
	"github.com/callgw/callgw/sip/rtp"
)

const (
	// passageMost is how much audio waits at most between two phones, in bytes: what
	// exceeds it is what the two clocks differ by, or a burst that came late.
	passageMost = 8 * media.FrameBytes
	// passageLeast is what must have come before it goes on after a gap, so that
	// jitter does not make the next one.
	passageLeast = 2 * media.FrameBytes

	// Keys sound at least as long, and as far apart, as receivers must recognise
	// (ITU-T Q.24).
	leastKey = 50 * time.Millisecond
	mostKey  = time.Minute
	keyGap   = 60 * time.Millisecond
	// mostKeys is how many wait at most.
	mostKeys = 64
)

// passage is one way between two phones: what one says is heard by the other, byte by
// byte where both speak the same law, which is the passage's as well. The lock is the
// two calls' own.
type passage struct {
	far keypad
	law media.Codec
	log zerolog.Logger

	pressed media.Digit // since Digit; 0: none. The uplink's own

	mu      sync.Mutex
	keys    []keytone.Tone // what sounds in the place of audio, for who takes keys so only
	pause   int            // bytes of silence until the next
	queue   [passageMost]byte
	first   int // of the bytes in queue
	waiting int // how many
	flowing bool
}

// keypad is a phone whose keys can be pressed: a *Call.
type keypad interface {
	SendDigit(d media.Digit, duration time.Duration) error
}

var (
	_ media.KeyUplink = (*passage)(nil)
	_ media.Downlink  = (*passage)(nil)
)

func newPassage(far keypad, law media.Codec, log zerolog.Logger) *passage {
	return &passage{far: far, law: law, log: log}
}

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

// Next gives it to the other, and keys in its place.
func (p *passage) Next(b []byte) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.take(b)
	return max(n, p.sound(b))
}

// sound writes what keys sound like to the beginning of b and returns how much it is.
func (p *passage) sound(b []byte) (n int) {
	for n < len(b) && (p.pause > 0 || len(p.keys) > 0) {
		if p.pause > 0 {
			quiet := b[n:min(n+p.pause, len(b))]
			p.law.FillSilence(quiet)
			n += len(quiet)
			p.pause -= len(quiet)
			continue
		}
		k := p.keys[0].Fill(b[n:], p.law)
		if n += k; n < len(b) {
			p.keys = append(p.keys[:0], p.keys[1:]...)
			p.pause = int(media.Bytes(keyGap))
		}
	}
	return n
}

// take gives what the other phone says.
func (p *passage) take(b []byte) int {
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

// Digit notes that a key is pressed.
func (p *passage) Digit(d media.Digit) { p.pressed = d }

// Released presses the key at the other side for as long, which hears no
// telephone-event of ours otherwise. One that takes none hears its tone.
func (p *passage) Released(d media.Digit, held time.Duration) {
	if p.pressed != d {
		return // it was pressed before there was another side
	}
	p.pressed = 0
	err := p.far.SendDigit(d, held)
	if errors.Is(err, rtp.ErrNoEvents) {
		err = p.key(d, held)
	}
	if err != nil {
		p.log.Warn().Err(err).Msg("key not passed on")
	}
}

// key lets a key sound in the audio.
func (p *passage) key(d media.Digit, held time.Duration) error {
	if held == 0 {
		held = rtp.DefaultPress
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.keys) == mostKeys {
		return rtp.ErrBusy
	}
	p.keys = append(p.keys, keytone.New(d, min(max(held, leastKey), mostKey)))
	return nil
}

// Hold is silence, which Frame brings.
func (p *passage) Hold(bool) {}

// Ready is for legs that would else poll.
func (p *passage) Ready() <-chan struct{} { return nil }

// Heard is for legs whose far end buffers.
func (p *passage) Heard(int64) {}
