package mediastream_test

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

// loop is a connection on which the same bytes arrive for ever, and to which
// everything can be written. It is its own HTTP response.
type loop struct {
	http.ResponseWriter
	arriving []byte
	pos      int
	writes   int
	written  int64
}

func (l *loop) Read(p []byte) (int, error) {
	n := copy(p, l.arriving[l.pos:])
	l.pos = (l.pos + n) % len(l.arriving)
	return n, nil
}

func (l *loop) Write(p []byte) (int, error) {
	l.writes++
	l.written += int64(len(p))
	return len(p), nil
}

func (l *loop) Close() error                     { return nil }
func (l *loop) LocalAddr() net.Addr              { return nil }
func (l *loop) RemoteAddr() net.Addr             { return nil }
func (l *loop) SetDeadline(time.Time) error      { return nil }
func (l *loop) SetReadDeadline(time.Time) error  { return nil }
func (l *loop) SetWriteDeadline(time.Time) error { return nil }

func (l *loop) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return l, bufio.NewReadWriter(bufio.NewReader(l), bufio.NewWriter(l)), nil
}

// masked returns a client's frame of a kind (RFC 6455 §5.2), with a mask of zeros.
func masked(kind byte, text []byte) []byte {
	frame := binary.BigEndian.AppendUint16([]byte{0x80 | kind, 0x80 | 126}, uint16(len(text)))
	return append(append(frame, 0, 0, 0, 0), text...)
}

// sink is an Uplink and an endless Downlink that keep nothing.
type sink struct{ frames, heard int64 }

func (s *sink) Frame([]byte)           { s.frames++ }
func (s *sink) Digit(media.Digit)      {}
func (s *sink) Hold(bool)              {}
func (s *sink) Next(p []byte) int      { return len(p) }
func (s *sink) Ready() <-chan struct{} { return nil }
func (s *sink) Heard(pos int64)        { s.heard = pos }

func newBench(tb testing.TB, text []byte) (*mediastream.Bench, *loop, *sink) {
	tb.Helper()
	return newBenchOf(tb, mediastream.Twilio, masked(websocket.TextMessage, text))
}

func newBenchOf(tb testing.TB, carrier mediastream.Carrier, frame []byte) (*mediastream.Bench, *loop, *sink) {
	tb.Helper()
	r := httptest.NewRequest(http.MethodGet, "/twilio/media", nil)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-Websocket-Version": "13", "Sec-Websocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	} {
		r.Header.Set(name, value)
	}
	l, s := &loop{ResponseWriter: httptest.NewRecorder(), arriving: frame}, &sink{}
	b, err := mediastream.NewBench(carrier, l, r, s, s)
	if err != nil {
		tb.Fatal(err)
	}
	return b, l, s
}

func TestTheFramePathDoesNotAllocate(t *testing.T) {
	text := mediaMessage(speech(160))
	b, l, s := newBench(t, text)
	for range 10 {
		if err := b.Receive(); err != nil {
			t.Fatal(err)
		}
		if err := b.Send(); err != nil {
			t.Fatal(err)
		}
	}
	// The WebSocket allocates a reader of 8 bytes for each message.
	if n := testing.AllocsPerRun(1000, func() { _ = b.Receive() }); n > 1 {
		t.Errorf("receiving allocates %v times a frame", n)
	}
	if n := testing.AllocsPerRun(1000, func() { _ = b.Handle(text) }); n != 0 {
		t.Errorf("handling allocates %v times a frame", n)
	}
	written := l.written
	if n := testing.AllocsPerRun(1000, func() { _ = b.Send() }); n != 0 {
		t.Errorf("sending allocates %v times", n)
	}
	if s.frames < 2000 || l.written-written < 1000*800 {
		t.Errorf("%d frames received, %d bytes written", s.frames, l.written-written)
	}
}

func TestTheFramePathOfBinaryCarriersDoesNotAllocate(t *testing.T) {
	for carrier, size := range map[mediastream.Carrier]int{mediastream.Asterisk: 160, mediastream.Vonage: 320, mediastream.Jambonz: 320} {
		t.Run(string(carrier), func(t *testing.T) {
			b, l, s := newBenchOf(t, carrier, masked(websocket.BinaryMessage, speech(size)))
			for range 10 {
				if err := errors.Join(b.Receive(), b.Send()); err != nil {
					t.Fatal(err)
				}
			}
			// The WebSocket allocates a reader of 8 bytes for each message.
			if n := testing.AllocsPerRun(1000, func() { _ = b.Receive() }); n > 1 {
				t.Errorf("receiving allocates %v times a frame", n)
			}
			written := l.written
			if n := testing.AllocsPerRun(1000, func() { _ = b.Send() }); n != 0 {
				t.Errorf("sending allocates %v times", n)
			}
			if s.frames < 1000 || l.written-written < 1000*2400 {
				t.Errorf("%d frames received, %d bytes written", s.frames, l.written-written)
			}
		})
	}
}

func TestTheFramePathInOrderDoesNotAllocate(t *testing.T) {
	b, _, s := newBenchOf(t, mediastream.Telnyx, nil)
	var texts [][]byte
	for chunk := range 2000 {
		texts = append(texts, fmt.Appendf(nil, `{"event":"media","media":{"chunk":"%d","timestamp":"%d","payload":"%s"}}`,
			chunk+1, 20*chunk, base64.StdEncoding.EncodeToString(speech(160))))
	}
	handle := func() {
		if err := b.Handle(texts[0]); err != nil {
			t.Fatal(err)
		}
		texts = texts[1:]
	}
	for range 20 {
		handle()
	}
	if n := testing.AllocsPerRun(1000, handle); n != 0 {
		t.Errorf("handling allocates %v times a frame", n)
	}
	if s.frames < 1000 {
		t.Errorf("%d frames received", s.frames)
	}
}

func TestAPieceAndItsMarkLeaveTogether(t *testing.T) {
	b, l, _ := newBench(t, mediaMessage(speech(160)))
	l.writes = 0
	if err := b.Send(); err != nil {
		t.Fatal(err)
	}
	if want := 1 + 3; l.writes != want { // a probe, and 300 ms in pieces of 100
		t.Errorf("%d writes, want %d", l.writes, want)
	}
}

func BenchmarkReceiveFrame(b *testing.B) {
	bench, _, _ := newBench(b, mediaMessage(speech(160)))
	b.ReportAllocs()
	for b.Loop() {
		if err := bench.Receive(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSendLead writes 300 ms of audio in three messages, each with a mark.
func BenchmarkSendLead(b *testing.B) {
	bench, _, _ := newBench(b, mediaMessage(speech(160)))
	b.ReportAllocs()
	for b.Loop() {
		if err := bench.Send(); err != nil {
			b.Fatal(err)
		}
	}
}
