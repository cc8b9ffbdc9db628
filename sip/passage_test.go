package sip_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/callgw/callgw/sip"
)

func audio(first, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((first + i) / 160)
	}
	return b
}

func TestPassage(t *testing.T) {
	p := sip.NewPassage()
	got := make([]byte, 160)
	p.Frame(audio(0, 160))
	if n := p.Next(got); n != 0 {
		t.Errorf("%d bytes before there was a reserve", n)
	}
	p.Frame(audio(160, 160))
	for i := range 2 {
		if n := p.Next(got); n != 160 || !bytes.Equal(got, audio(160*i, 160)) {
			t.Errorf("frame %d is %d of %v", i, n, got[:1])
		}
	}
	if n := p.Next(got); n != 0 {
		t.Errorf("%d bytes out of nothing", n)
	}
	p.Frame(audio(320, 160))
	if n := p.Next(got); n != 0 {
		t.Errorf("%d bytes right after a gap", n)
	}
}

// A burst, or a clock that runs fast, costs the oldest audio.
func TestPassageIsBounded(t *testing.T) {
	p := sip.NewPassage()
	for i := range 20 {
		p.Frame(audio(160*i, 160))
	}
	var heard []byte
	got := make([]byte, 160)
	for n := p.Next(got); n > 0; n = p.Next(got) {
		heard = append(heard, got[:n]...)
	}
	if !bytes.Equal(heard, audio(160*12, 160*8)) {
		t.Errorf("%d bytes from frame %d on", len(heard), heard[0])
	}
	p.Frame(audio(0, 5000))
	if n := p.Next(got); n != 160 {
		t.Errorf("%d bytes of a frame that is too long", n)
	}
}

func TestPassageKeepsEveryByteInOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	p := sip.NewPassage()
	var said, heard []byte
	for range 10000 {
		if len(said)-len(heard) < 500 {
			b := make([]byte, 1+random.IntN(480))
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			p.Frame(b)
			said = append(said, b...)
		}
		b := make([]byte, 1+random.IntN(320))
		heard = append(heard, b[:p.Next(b)]...)
	}
	if !bytes.HasPrefix(said, heard) || len(heard) < len(said)-1280 {
		t.Errorf("of %d bytes %d were heard, not in order", len(said), len(heard))
	}
}

func TestPassageDoesNotAllocate(t *testing.T) {
	p, frame := sip.NewPassage(), make([]byte, 160)
	if n := testing.AllocsPerRun(1000, func() {
		p.Frame(frame)
		p.Next(frame)
	}); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}
