package realtime_test

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/callgw/callgw/realtime"
)

// deaf is a Handler that costs nothing.
type deaf struct{}

func (deaf) Audio(realtime.AudioDelta) {}
func (deaf) Event(realtime.Event)      {}

// deafSession repairs losses, as sessions do unless they are told not to.
func deafSession(t testing.TB) *realtime.Session {
	s := newSession(t, realtime.Config{
		Providers: []realtime.Provider{{BaseURL: "ws://localhost"}}, Properties: ulaw, Handler: deaf{},
		RepairTimeout: 3 * time.Second,
	})
	s.Receive([]byte(assistant("msg_008")))
	frames := s.Frames()
	for range 20 * 50 { // whatever is kept for a repair has been kept once
		s.Append(make([]byte, 160))
		frames()
	}
	return s
}

// delta is 400 ms of µ-law as OpenAI sends it.
func delta() []byte {
	audio := make([]byte, 3200)
	for i := range audio {
		audio[i] = byte(i * 7)
	}
	return fmt.Appendf(nil, `{"type":"response.output_audio.delta","event_id":"event_4950","response_id":"resp_001","item_id":"msg_008","output_index":0,"content_index":0,"delta":%q,"obfuscation":"abc"}`,
		base64.StdEncoding.EncodeToString(audio))
}

func TestTheFramePathDoesNotAllocate(t *testing.T) {
	s, msg := deafSession(t), delta()
	if n := testing.AllocsPerRun(1000, func() { s.Receive(msg) }); n != 0 {
		t.Errorf("a delta costs %v allocations", n)
	}
	frames, frame := s.Frames(), make([]byte, 160)
	if n := testing.AllocsPerRun(1000, func() {
		s.Append(frame)
		frames()
	}); n != 0 {
		t.Errorf("an append costs %v allocations", n)
	}
	if stats := s.Stats(); stats.Deltas != 1001 || stats.AudioOut != 1001*3200 || stats.AudioIn != 2001*160 {
		t.Errorf("stats = %+v", stats)
	}
}

func BenchmarkAppend(b *testing.B) {
	s := deafSession(b)
	frames, frame := s.Frames(), make([]byte, 160)
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		s.Append(frame)
		frames()
	}
}

func BenchmarkDelta(b *testing.B) {
	s, msg := deafSession(b), delta()
	b.ReportAllocs()
	b.SetBytes(3200)
	for b.Loop() {
		s.Receive(msg)
	}
}
