package rtp

import (
	"bytes"
	"testing"

	pion "github.com/pion/rtp"

	"github.com/callgw/callgw/bridge/media"
)

func TestParse(t *testing.T) {
	plain := []byte{0x80, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 'a', 'b', 'c'}
	with := func(first byte, tail ...byte) []byte {
		return append(append([]byte{first}, plain[1:12]...), tail...)
	}
	for _, test := range []struct {
		name string
		b    []byte
		ok   bool
		want string // the payload
	}{
		{"plain", plain, true, "abc"},
		{"no payload", plain[:12], true, ""},
		{"short", plain[:11], false, ""},
		{"version 1", with(0x40, 'a'), false, ""},
		{"contributors", with(0x82, 0, 0, 0, 1, 0, 0, 0, 2, 'a'), true, "a"},
		{"contributors missing", with(0x82, 0, 0, 0, 1, 0, 0, 0), false, ""},
		{"extension", with(0x90, 0xBE, 0xDE, 0, 1, 1, 2, 3, 4, 'a'), true, "a"},
		{"empty extension", with(0x90, 0xBE, 0xDE, 0, 0, 'a'), true, "a"},
		{"extension cut short", with(0x90, 0xBE, 0xDE, 0, 1, 1, 2, 3), false, ""},
		{"extension header cut short", with(0x90, 0xBE, 0xDE, 0), false, ""},
		{"padding", with(0xA0, 'a', 'b', 0, 2), true, "ab"},
		{"all padding", with(0xA0, 0, 2), true, ""},
		{"padding of none", with(0xA0, 'a', 0), false, ""},
		{"more padding than payload", with(0xA0, 'a', 3), false, ""},
		{"padding of nothing", with(0xA0), false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, ok := parse(test.b)
			if ok != test.ok || string(p.payload) != test.want {
				t.Fatalf("parse() = %q, %v", p.payload, ok)
			}
			if ok && (!p.marker || p.kind != 0 || p.sequence != 0x0102 || p.timestamp != 0x03040506 || p.ssrc != 0x0708090A) {
				t.Errorf("header %+v", p)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0x80, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 'a'})
	f.Add([]byte{0xB1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 0, 1, 0xBE, 0xDE, 0, 1, 0x10, 1, 0, 0, 'a', 0, 2})
	f.Add([]byte{0x90, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xAB, 0xCD, 0, 1, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		p, ok := parse(b)
		if !bytes.Equal(before, b) {
			t.Fatal("parse wrote to the packet")
		}
		var theirs pion.Packet
		err := theirs.Unmarshal(b)
		if err != nil || theirs.Version != 2 {
			return // pion also reads what extensions contain
		}
		if !ok {
			if theirs.Padding && theirs.PaddingSize == 0 {
				return // pion passes over padding that counts nothing
			}
			t.Fatal("pion takes it")
		}
		if p.marker != theirs.Marker || p.kind != theirs.PayloadType || p.sequence != theirs.SequenceNumber ||
			p.timestamp != theirs.Timestamp || p.ssrc != theirs.SSRC || !bytes.Equal(p.payload, theirs.Payload) {
			t.Fatalf("%+v, pion says %+v", p, theirs)
		}
	})
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte{1, 0x8A, 1, 2}, uint32(5))
	f.Add([]byte{1}, uint32(5))
	f.Fuzz(func(t *testing.T, b []byte, timestamp uint32) {
		e, ok := parseEvent(b)
		if !ok {
			if len(b) >= eventBytes {
				t.Fatal("refused")
			}
			return
		}
		again := make([]byte, eventBytes)
		e.put(again)
		want := bytes.Clone(b[:eventBytes])
		want[1] &^= 0x40 // reserved
		if !bytes.Equal(want, again) {
			t.Fatalf("%v became %v", want, again)
		}
		var p presses
		_, first := p.take(timestamp, e)
		if _, known := media.DigitOf(e.code); first != known {
			t.Fatalf("digit of event %d: %v", e.code, first)
		}
		if _, second := p.take(timestamp, e); second {
			t.Fatal("pressed twice")
		}
	})
}

func TestHeaderIsReadAsWritten(t *testing.T) {
	b := make([]byte, headerBytes)
	putHeader(b, true, 101, 0xFFFF, 0xFFFFFFFE, 0xDEADBEEF)
	p, ok := parse(b)
	if !ok || !p.marker || p.kind != 101 || p.sequence != 0xFFFF || p.timestamp != 0xFFFFFFFE || p.ssrc != 0xDEADBEEF {
		t.Errorf("parse() = %+v, %v", p, ok)
	}
}
