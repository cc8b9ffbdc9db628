package pacer_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/callgw/callgw/bridge/pacer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tick is one call of a task.
type tick struct {
	At      time.Duration
	Skipped int
}

// recorder notes its ticks; work, if set, is what a tick does besides.
type recorder struct {
	start time.Time
	work  func()

	mu    sync.Mutex
	ticks []tick
}

func (r *recorder) Tick(skipped int) {
	r.mu.Lock()
	r.ticks = append(r.ticks, tick{time.Since(r.start), skipped})
	r.mu.Unlock()
	if r.work != nil {
		r.work()
	}
}

func (r *recorder) seen() []tick {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]tick(nil), r.ticks...)
}

// run starts p in the test's bubble and stops it at the test's end.
func run(t *testing.T, p *pacer.Pacer) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func TestTaskTicksEvery20Milliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer.New(pacer.Config{Shards: 1})
		run(t, p)
		r := &recorder{start: time.Now()}
		defer p.Add(r).Remove()
		time.Sleep(ms(85))
		want := []tick{{ms(1), 0}, {ms(21), 0}, {ms(41), 0}, {ms(61), 0}, {ms(81), 0}}
		if diff := cmp.Diff(want, r.seen()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestScheduleIsAbsolute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer.New(pacer.Config{Shards: 1})
		run(t, p)
		r := &recorder{start: time.Now()}
		r.work = func() { time.Sleep(ms(7)) } // each tick takes time; none moves the next
		slot := p.Add(r)
		time.Sleep(time.Minute)
		slot.Remove()
		seen := r.seen()
		if len(seen) != 3000 {
			t.Fatalf("%d ticks in a minute, want 3000", len(seen))
		}
		if last := seen[len(seen)-1]; last != (tick{ms(59981), 0}) {
			t.Errorf("the last tick was %v", last)
		}
	})
}

func TestLatePacerSkipsInsteadOfBursting(t *testing.T) {
	for _, test := range []struct {
		name  string
		stall time.Duration
		want  []tick
	}{
		// A tick at 1 ms, then a stall; the next is due at 21 ms.
		{"one frame late is caught up", ms(40), []tick{{ms(1), 0}, {ms(41), 0}, {ms(41), 0}, {ms(61), 0}}},
		{"two frames late are caught up", ms(60), []tick{{ms(1), 0}, {ms(61), 0}, {ms(61), 0}, {ms(61), 0}, {ms(81), 0}}},
		{"more is left out", ms(61), []tick{{ms(1), 0}, {ms(62), 2}, {ms(81), 0}}},
		{"a second is left out", time.Second, []tick{{ms(1), 0}, {ms(1001), 49}, {ms(1021), 0}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pacer.New(pacer.Config{Shards: 1})
				run(t, p)
				r := &recorder{start: time.Now()}
				var once sync.Once
				r.work = func() { once.Do(func() { time.Sleep(test.stall) }) }
				slot := p.Add(r)
				time.Sleep(test.want[len(test.want)-1].At + ms(1))
				slot.Remove()
				if diff := cmp.Diff(test.want, r.seen()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestSkipIsCountedForEveryTaskOfTheShard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer.New(pacer.Config{Shards: 1})
		start := time.Now()
		a, b := &recorder{start: start}, &recorder{start: start}
		var once sync.Once
		a.work = func() { once.Do(func() { time.Sleep(ms(200)) }) }
		slotA, slotB := p.Add(a), p.Add(b)
		run(t, p)
		time.Sleep(ms(205))
		late := &recorder{start: start}
		slotLate := p.Add(late)
		time.Sleep(ms(95))
		for _, s := range []*pacer.Slot{slotA, slotB, slotLate} {
			s.Remove()
		}
		frames := func(r *recorder) (n int) {
			for _, tick := range r.seen() {
				n += 1 + tick.Skipped
			}
			return n
		}
		if n := frames(a); n != 15 {
			t.Errorf("the stalled task saw %d frames in 300 ms, want 15: %v", n, a.seen())
		}
		if n := frames(b); n != 15 {
			t.Errorf("its neighbour saw %d frames in 300 ms, want 15: %v", n, b.seen())
		}
		for _, tick := range late.seen() {
			if tick.Skipped != 0 {
				t.Errorf("a task added after the stall saw it: %v", late.seen())
			}
		}
	})
}

func TestTasksSpreadOverTheFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer.New(pacer.Config{Shards: 2})
		run(t, p)
		start := time.Now()
		at := make(map[time.Duration]int)
		recorders := make([]*recorder, 120)
		slots := make([]*pacer.Slot, len(recorders))
		for i := range recorders {
			recorders[i] = &recorder{start: start}
			slots[i] = p.Add(recorders[i])
		}
		if p.Tasks() != len(recorders) {
			t.Errorf("Tasks() = %d", p.Tasks())
		}
		time.Sleep(ms(20))
		synctest.Wait()
		for i, r := range recorders {
			slots[i].Remove()
			for _, tick := range r.seen() {
				at[tick.At]++
			}
		}
		want := make(map[time.Duration]int)
		for i := range 20 {
			want[ms(i+1)] = 6
		}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Error(diff)
		}
		if p.Tasks() != 0 {
			t.Errorf("Tasks() = %d after the last was removed", p.Tasks())
		}
	})
}

func TestEmptyShardWakesForItsFirstTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer.New(pacer.Config{Shards: 1})
		run(t, p)
		for range 3 {
			time.Sleep(time.Hour + 300*time.Microsecond)
			r := &recorder{start: time.Now()}
			slot := p.Add(r)
			time.Sleep(ms(20))
			slot.Remove()
			seen := r.seen()
			if len(seen) != 1 || seen[0].At > ms(1) || seen[0].Skipped != 0 {
				t.Fatalf("ticks after an idle hour: %v", seen)
			}
		}
	})
}

func TestEarlierTaskWakesASleepingShard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer.New(pacer.Config{Shards: 1})
		run(t, p)
		start := time.Now()
		first := &recorder{start: start}
		defer p.Add(first).Remove() // ticks at 1, 21, …
		time.Sleep(ms(5))
		second := &recorder{start: start}
		defer p.Add(second).Remove() // at 6, long before 21
		time.Sleep(ms(3))
		if diff := cmp.Diff([]tick{{ms(6), 0}}, second.seen()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRemoveWaitsForTheRunningTick(t *testing.T) {
	p := pacer.New(pacer.Config{Shards: 1})
	run(t, p)
	var ended atomic.Bool
	entered, release := make(chan struct{}), make(chan struct{})
	r := &recorder{start: time.Now()}
	r.work = func() {
		close(entered) // a second tick would panic here
		<-release
		ended.Store(true)
	}
	slot := p.Add(r)
	<-entered
	removed := make(chan bool)
	go func() {
		slot.Remove()
		removed <- ended.Load()
	}()
	for range 100 {
		runtime.Gosched() // let a Remove that does not wait return too early
	}
	close(release)
	if !<-removed {
		t.Error("Remove returned while Tick was running")
	}
	slot.Remove() // again: no harm
}

func TestTaskNeverTicksAfterRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer.New(pacer.Config{Shards: 1})
		run(t, p)
		r := &recorder{start: time.Now()}
		slot := p.Add(r)
		time.Sleep(ms(5))
		slot.Remove()
		time.Sleep(time.Second)
		if n := len(r.seen()); n != 1 {
			t.Errorf("%d ticks, want 1: it went on after Remove", n)
		}
	})
}

func TestTaskRemovesAnotherOfItsOwnSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer.New(pacer.Config{Shards: 1})
		start := time.Now()
		killer, victim := &recorder{start: start}, &recorder{start: start}
		var fillers []*pacer.Slot
		first := p.Add(killer)
		for range 19 {
			fillers = append(fillers, p.Add(&recorder{start: start}))
		}
		second := p.Add(victim) // the 21st shares the killer's slot
		killer.work = second.Remove
		run(t, p)
		time.Sleep(ms(100))
		first.Remove()
		for _, f := range fillers {
			f.Remove()
		}
		if n := len(victim.seen()); n != 0 {
			t.Errorf("the removed task ticked %d times", n)
		}
	})
}

func TestLatenessIsObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var late []time.Duration
		p := pacer.New(pacer.Config{Shards: 1, Late: func(d time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			late = append(late, d)
		}})
		run(t, p)
		r := &recorder{start: time.Now()}
		var once sync.Once
		r.work = func() { once.Do(func() { time.Sleep(ms(30)) }) }
		slot := p.Add(r)
		time.Sleep(ms(50))
		slot.Remove()
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff([]time.Duration{0, ms(10), 0}, late); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAddAndRemoveWhileTicking(t *testing.T) {
	p := pacer.New(pacer.Config{Shards: 2})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = p.Run(ctx) })
	var adders sync.WaitGroup
	for range 8 {
		adders.Go(func() {
			for range 200 {
				c := &counter{}
				slot := p.Add(c)
				c.wait()
				slot.Remove()
				n := c.n.Load()
				if n == 0 {
					t.Error("no tick")
				}
				if c.n.Load() != n {
					t.Error("ticked after Remove")
				}
			}
		})
	}
	adders.Wait()
	if n := p.Tasks(); n != 0 {
		t.Errorf("Tasks() = %d", n)
	}
	cancel()
	running.Wait()
}

// counter counts its ticks and announces the first.
type counter struct {
	n     atomic.Int64
	once  sync.Once
	first chan struct{}
	mu    sync.Mutex
}

func (c *counter) announced() chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == nil {
		c.first = make(chan struct{})
	}
	return c.first
}

func (c *counter) wait() { <-c.announced() }

func (c *counter) Tick(int) {
	c.n.Add(1)
	c.once.Do(func() { close(c.announced()) })
}
