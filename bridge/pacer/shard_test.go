package pacer

import (
	"sync/atomic"
	"testing"
	"time"
)

// load is the least a task can do.
type load struct{ n atomic.Int64 }

func (l *load) Tick(int) { l.n.Add(1) }

// frame runs one whole frame of sh, as run would, without waiting for it.
func frame(sh *shard) {
	for range slots {
		sh.start = sh.start.Add(-slotDuration) // a millisecond passes
		tick, ok := sh.occupied()
		if !ok {
			return
		}
		sh.fire(tick)
	}
}

func loaded(n int) *shard {
	sh := newShard(time.Now(), func(time.Duration) {})
	for range n {
		sh.add(&load{})
	}
	return sh
}

func TestTickAllocatesNothing(t *testing.T) {
	sh := loaded(100)
	frame(sh)
	if n := testing.AllocsPerRun(100, func() { frame(sh) }); n != 0 {
		t.Errorf("%v allocations per frame of 100 tasks", n)
	}
}

func BenchmarkFrame1000Tasks(b *testing.B) {
	sh := loaded(1000)
	frame(sh)
	b.ReportAllocs()
	for b.Loop() {
		frame(sh)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/task")
}
