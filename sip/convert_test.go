package sip_test

import (
	"bytes"
	"testing"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/transcode"
	"github.com/callgw/callgw/sip"
)

// mouth says a frame each time, and keeps the slice that it last heard.
type mouth struct {
	silence
	words, heard []byte
}

func (m *mouth) Frame(p []byte)    { m.heard = p }
func (m *mouth) Next(p []byte) int { return copy(p, m.words) }

func everyByte() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

func TestOneLawToAnother(t *testing.T) {
	for _, wire := range []media.Codec{media.PCMU, media.PCMA} {
		for _, law := range []media.Codec{media.PCMU, media.PCMA} {
			m := &mouth{words: everyByte()[:200]}
			up, down := sip.Between(wire, law, m, m)
			said := everyByte()
			up.Frame(said)
			if want := transcode.AppendLaw(nil, said, wire, law); !bytes.Equal(m.heard, want) {
				t.Errorf("%v to %v: heard\n%x, want\n%x", wire, law, m.heard, want)
			}
			if same := &m.heard[0] == &said[0]; same != (wire == law) {
				t.Errorf("%v to %v: the slice itself is passed on: %v", wire, law, same)
			}
			if !bytes.Equal(said, everyByte()) {
				t.Errorf("%v to %v: the frame that was lent has changed", wire, law)
			}
			frame := make([]byte, 256)
			n := down.Next(frame)
			if want := transcode.AppendLaw(nil, m.words, law, wire); n != 200 || !bytes.Equal(frame[:n], want) {
				t.Errorf("%v to %v: %d bytes said\n%x, want\n%x", law, wire, n, frame[:n], want)
			}
			if !bytes.Equal(frame[n:], make([]byte, 56)) {
				t.Errorf("%v to %v: more is written than was said", law, wire)
			}
		}
	}
}

func TestOneLawToAnotherDoesNotAllocate(t *testing.T) {
	for _, wire := range []media.Codec{media.PCMU, media.PCMA} {
		m := &mouth{words: make([]byte, media.FrameBytes)}
		up, down := sip.Between(wire, media.PCMU, m, m)
		frame := make([]byte, media.FrameBytes)
		if n := testing.AllocsPerRun(1000, func() {
			up.Frame(frame)
			down.Next(frame)
		}); n != 0 {
			t.Errorf("%v: %v allocations per frame", wire, n)
		}
	}
}

func BenchmarkOneLawToAnother(b *testing.B) {
	for _, wire := range []media.Codec{media.PCMU, media.PCMA} {
		b.Run(wire.String()+" to pcmu", func(b *testing.B) {
			m := &mouth{words: make([]byte, media.FrameBytes)}
			up, down := sip.Between(wire, media.PCMU, m, m)
			frame := make([]byte, media.FrameBytes)
			b.ReportAllocs()
			for b.Loop() {
				up.Frame(frame)
				down.Next(frame)
			}
		})
	}
}
