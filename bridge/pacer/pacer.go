package pacer

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// Task is what a pacer calls every 20 ms.
type Task interface {
	// Tick does one frame's work. It must not block: the tasks of the same
	// slot wait for it. Skipped is how many whole frames were left out just
	// before this one because the pacer was late, nearly always 0.
	Tick(skipped int)
}

// Config says how a pacer runs.
type Config struct {
	// Shards is the number of goroutines that the tasks are spread over.
	// 0 means GOMAXPROCS.
	Shards int
	// Late observes how late each tick was, for metrics. It is called on the
	// frame path by every shard at once and must not block. It may be nil.
	Late func(time.Duration)
}

// Pacer calls tasks on an absolute 20 ms schedule.
type Pacer struct {
	shards []*shard
}

// New returns a pacer. Its schedule starts now; tasks tick while Run runs.
func New(cfg Config) *Pacer {
	n := cfg.Shards
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	start := time.Now()
	p := &Pacer{shards: make([]*shard, n)}
	for i := range p.shards {
		p.shards[i] = newShard(start, cfg.Late)
	}
	return p
}

// Run ticks until ctx ends, then returns nil. It is to be called once.
func (p *Pacer) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, sh := range p.shards {
		wg.Go(func() { sh.run(ctx) })
	}
	wg.Wait()
	return nil
}

// Add schedules task in the emptiest slot of the emptiest shard. Its first tick
// comes within the next 20 ms; ticks missed because Run is not yet running
// count as skipped. Any goroutine may call it, a Tick too.
func (p *Pacer) Add(task Task) *Slot {
	least := p.shards[0]
	for _, sh := range p.shards[1:] {
		if sh.size.Load() < least.size.Load() {
			least = sh
		}
	}
	return least.add(task)
}

// Tasks returns how many tasks are scheduled now.
func (p *Pacer) Tasks() int {
	n := 0
	for _, sh := range p.shards {
		n += int(sh.size.Load())
	}
	return n
}
