package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/callgw/callgw/test/fixtures"
)

// TestATruncationIsNearOnAMediaStream interrupts a tone again and again, over
// networks of different delay, and compares what the model was told with what
// the carrier had played when the clear reached it.
func TestATruncationIsNearOnAMediaStream(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	var mu sync.Mutex
	var all []time.Duration
	t.Run("delays", func(t *testing.T) {
		for _, delay := range []time.Duration{0, 30 * ms, 60 * ms, 120 * ms} {
			for _, jitter := range []time.Duration{0, 30 * ms} {
				t.Run(fmt.Sprintf("%v and up to %v", delay, jitter), func(t *testing.T) {
					t.Parallel()
					off := interruptStream(t, delay, jitter)
					mu.Lock()
					all = append(all, off...)
					mu.Unlock()
				})
			}
		}
	})
	if len(all) > 0 {
		median, worst := spread(all)
		t.Logf("%d interruptions: off by %v in the median, %v at most", len(all), median, worst)
	}
}

func interruptStream(t *testing.T, delay, jitter time.Duration) (off []time.Duration) {
	times := 4
	if testing.Short() {
		times = 1
	}
	g := start(t, Setup{
		Agent: `greeting: {say: Sing.}`,
		Provider: realtimetest.Config{
			Voice: singing(20 * time.Second),
			Pace:  &realtimetest.Pace{Rate: 4, Latency: 50 * time.Millisecond, Shortest: 90 * time.Millisecond, Longest: 500 * time.Millisecond},
		},
	})
	cfg := g.target(streamLeg)
	cfg.Carrier.Delay, cfg.Carrier.Jitter, cfg.Carrier.Seed = delay, jitter, 1+uint64(delay+jitter)
	p := g.phoneWith(cfg, 0)
	random := rand.New(rand.NewPCG(11, uint64(delay+jitter)))
	for n := range times {
		sounding := 300*time.Millisecond + time.Duration(random.Int64N(int64(1200*time.Millisecond)))
		if err := p.Phone.AwaitSpeech(within(t), sounding); err != nil {
			t.Fatal(err)
		}
		if err := p.Phone.Say(within(t), fixtures.CallerInterrupt); err != nil {
			t.Fatal(err)
		}
		if err := p.Session.Wait(within(t), func() bool { return len(p.Session.Truncations()) > n }); err != nil {
			t.Fatalf("interruption %d: nothing was truncated: %v", n, err)
		}
		// The greeting is the first response.
		if _, err := p.Session.WaitEvent(within(t), "response.created", n+2); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Hangup(within(t)); err != nil {
		t.Error(err)
	}
	for _, cut := range p.Session.Truncations() {
		if cut.Error != nil || cut.AudioEndMS > cut.SentMS {
			t.Errorf("truncation %+v", cut)
		}
	}
	off = compareCuts(t, g.Calls.All()[0], p.Stream().Clears(), delay+jitter)
	if len(off) < (times+1)/2 {
		t.Fatalf("only %d of %d interruptions can be compared\n%v", len(off), times, g.Calls.All()[0])
	}
	median, worst := spread(off)
	t.Logf("off by %v: %v in the median, %v at most", off, median, worst)
	if worst > 100*time.Millisecond {
		t.Errorf("%v\n%+v", g.Calls.All()[0], p.Stream().Clears())
	}
	return off
}

// compareCuts returns how far what the model was told is from what the carrier had
// played, for each clear.
func compareCuts(t *testing.T, w Watched, clears []mediastreamtest.Clear, way time.Duration) (off []time.Duration) {
	t.Helper()
	cuts := slices.DeleteFunc(w.Events, func(e Seen) bool { return e.Name != bridge.EventTruncated })
	began, known := int64(0), true // of the item, in the carrier's positions
	for _, cut := range cuts {
		told, _ := cut.Attr("heard_ms").(int64)
		// A clear leaves at the moment of the interruption, if anything was still
		// to be played.
		if len(clears) == 0 || clears[0].At.Sub(cut.At) > way+slack {
			known = false
			continue
		}
		if heard := media.Duration(clears[0].Position - began); known {
			off = append(off, time.Duration(told)*time.Millisecond-heard)
		}
		began, known = clears[0].Position+clears[0].Dropped, true
		clears = clears[1:]
	}
	if len(clears) > 0 {
		t.Errorf("%d clears belong to no interruption\n%v", len(clears), w)
	}
	return off
}

// spread returns the median and the largest of the absolute values.
func spread(off []time.Duration) (median, worst time.Duration) {
	size := make([]time.Duration, len(off))
	for i, d := range off {
		size[i] = d.Abs()
	}
	slices.Sort(size)
	return size[len(size)/2], size[len(size)-1]
}
