package playout_test

import (
	"testing"

	"github.com/callgw/callgw/bridge/playout"
)

var (
	response = []byte("resp_0123456789")
	itemID   = []byte("item_0123456789")
)

// flow writes one 400 ms delta and takes it frame by frame.
func flow(q *playout.Queue, delta, frame []byte) {
	if _, err := q.Write(response, itemID, 0, delta); err != nil {
		panic(err)
	}
	for q.Next(frame) > 0 {
	}
}

func TestTheFramePathDoesNotAllocate(t *testing.T) {
	q := playout.New(playout.Config{})
	q.Begin(string(response))
	delta, frame := make([]byte, 3200), make([]byte, 160)
	flow(q, delta, frame)
	if n := testing.AllocsPerRun(1000, func() { flow(q, delta, frame) }); n != 0 {
		t.Errorf("%v allocations per delta", n)
	}
}

func BenchmarkQueue(b *testing.B) {
	q := playout.New(playout.Config{})
	q.Begin(string(response))
	delta, frame := make([]byte, 3200), make([]byte, 160)
	b.ReportAllocs()
	for b.Loop() {
		flow(q, delta, frame)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20, "ns/frame")
}
