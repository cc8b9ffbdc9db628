package pacer

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

const (
	// slotDuration is the distance between two slots, and a shard's tick.
	slotDuration = time.Millisecond
	// slots is how many of them fill a frame.
	slots = int64(media.FrameDuration / slotDuration)
	// maxLate is how late a tick may be before frames are left out.
	maxLate = 2 * media.FrameDuration
)

// shard is one goroutine's share of the tasks. Tick n of a shard is due at
// start + n × 1 ms and belongs to the slot n mod 20.
type shard struct {
	start time.Time
	late  func(time.Duration)
	size  atomic.Int64
	wake  chan struct{} // an earlier tick than the one awaited is now due
	batch []*Slot       // run's own: the slot being ticked

	mu      sync.Mutex
	slots   [slots][]*Slot
	cursor  int64 // every earlier tick is done with
	await   int64 // the tick that run sleeps to
	dormant bool  // no tick to sleep to
}

func newShard(start time.Time, late func(time.Duration)) *shard {
	return &shard{start: start, late: late, wake: make(chan struct{}, 1), dormant: true}
}

// add puts task in the emptiest slot and wakes run when that comes first.
func (sh *shard) add(task Task) *Slot {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	// The slots are compared in the order in which they come up, so that a
	// lone task starts at once and equals fill up round the frame.
	first := sh.after(time.Now())
	due := first
	for n := first; n < first+slots; n++ {
		if len(sh.slots[n%slots]) < len(sh.slots[due%slots]) {
			due = n
		}
	}
	s := &Slot{shard: sh, task: task, phase: int(due % slots), next: due}
	sh.slots[s.phase] = append(sh.slots[s.phase], s)
	sh.size.Add(1)
	asleep := sh.dormant
	if asleep {
		sh.dormant, sh.cursor, sh.await = false, due, due
	}
	if asleep || due < sh.await {
		select {
		case sh.wake <- struct{}{}:
		default:
		}
	}
	return s
}

func (sh *shard) remove(s *Slot) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.slots[s.phase] = without(sh.slots[s.phase], s)
	sh.size.Add(-1)
}

// after returns the first tick that is due later than now.
func (sh *shard) after(now time.Time) int64 {
	return int64(now.Sub(sh.start)/slotDuration) + 1
}

func (sh *shard) due(tick int64) time.Time {
	return sh.start.Add(time.Duration(tick) * slotDuration)
}

// run ticks until ctx ends.
func (sh *shard) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	for {
		tick, ok := sh.occupied()
		var alarm <-chan time.Time // nil, which never fires, while the shard is empty
		if ok {
			wait := time.Until(sh.due(tick))
			if wait <= 0 && ctx.Err() == nil {
				sh.fire(tick)
				continue
			}
			timer.Reset(wait)
			alarm = timer.C
		}
		select {
		case <-ctx.Done():
			return
		case <-alarm:
			sh.fire(tick)
		case <-sh.wake:
			timer.Stop()
		}
	}
}

// occupied returns the first tick to come whose slot has tasks, and notes it
// for add.
func (sh *shard) occupied() (tick int64, ok bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for n := sh.cursor; n < sh.cursor+slots; n++ {
		if len(sh.slots[n%slots]) > 0 {
			sh.await = n
			return n, true
		}
	}
	sh.dormant = true
	return 0, false
}

// fire runs the tasks of the tick's slot. When the tick is too late, a later
// one of the same slot takes its place and the frames between are left out.
func (sh *shard) fire(tick int64) {
	if late := time.Since(sh.due(tick)); late > maxLate {
		tick += int64(late/media.FrameDuration) * slots
	}
	due := sh.due(tick)

	sh.mu.Lock()
	sh.cursor = tick + 1
	sh.batch = append(sh.batch, sh.slots[tick%slots]...)
	sh.mu.Unlock()
	for _, s := range sh.batch {
		if s.next > tick {
			continue // added while the shard was behind
		}
		skipped := (tick - s.next) / slots
		s.next = tick + slots
		if sh.late != nil {
			sh.late(time.Since(due))
		}
		s.tick(int(skipped))
	}
	clear(sh.batch) // a removed task must not be kept alive
	sh.batch = sh.batch[:0]
}
