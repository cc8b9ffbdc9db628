package mediastream_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

// TestAFlushKnowsWhatTheCallerHasHeard interrupts long turns at random moments
// and compares what Flush says with what the carrier had played when the clear
// arrived.
func TestAFlushKnowsWhatTheCallerHasHeard(t *testing.T) {
	for _, delay := range []time.Duration{0, 20 * ms, 60 * ms, 120 * ms} {
		for _, jitter := range []time.Duration{0, 30 * ms} {
			t.Run(fmt.Sprintf("%v and up to %v", delay, jitter), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { interrupt(t, delay, jitter) })
			})
		}
	}
}

func interrupt(t *testing.T, delay, jitter time.Duration) {
	down, ended := newMouth(), make(chan error, 1)
	streams := make(chan *mediastream.Stream, 1)
	g := newGateway(t, mediastream.Config{Handler: answer(&ear{}, down, streams, ended)})
	cfg := g.phone()
	cfg.Delay, cfg.Jitter = delay, jitter
	call, over := dial(t, cfg, &ear{}, newMouth())
	s := <-streams
	random := rand.New(rand.NewPCG(7, uint64(delay+jitter)))
	type flush struct {
		at    time.Time
		heard int64
	}
	var flushes []flush
	time.Sleep(500 * ms)
	for range 60 {
		// The model speaks in deltas of any size, faster than real time. Frames
		// keep positions comparable: a flush drops what is held back of one.
		for range 1 + random.IntN(8) {
			down.say(speech(media.FrameBytes * (1 + random.IntN(60))))
			time.Sleep(time.Duration(random.Int64N(int64(60 * ms))))
		}
		time.Sleep(time.Duration(random.Int64N(int64(2 * time.Second))))
		before, _ := down.position()
		down.hush()
		heard := s.Flush()
		_, taken := down.position()
		if heard < before || heard > taken {
			t.Errorf("heard %d, reported %d, taken %d", heard, before, taken)
		}
		flushes = append(flushes, flush{time.Now(), heard})
		time.Sleep(500 * ms)
	}
	if err := call.Hangup(t.Context(), media.CallerHungUp); err != nil {
		t.Error(err)
	}
	<-over
	<-ended
	noViolations(t, call)

	// Turns that ended before the flush need no clear.
	clears := call.Clears()
	var faults []time.Duration
	for _, f := range flushes {
		if len(clears) > 0 && clears[0].At.Sub(f.at) <= delay+jitter {
			faults = append(faults, media.Duration(f.heard-clears[0].Position))
			clears = clears[1:]
		}
	}
	if len(clears) > 0 {
		t.Errorf("%d clears come from no flush: %+v", len(clears), clears)
	}
	if len(faults) < 30 {
		t.Fatalf("only %d flushes to compare", len(faults))
	}
	slices.SortFunc(faults, func(a, b time.Duration) int { return int(abs(a) - abs(b)) })
	median, worst := abs(faults[len(faults)/2]), abs(faults[len(faults)-1])
	t.Logf("%d interruptions: off by %v in the median, %v at most; round trip %v", len(faults), median, worst, s.Stats().RoundTrip)
	if median > 20*ms || worst > 20*ms+2*jitter {
		t.Errorf("off by %v in the median, %v at most", median, worst)
	}
	if trip := s.Stats().RoundTrip; trip < 2*delay || trip > 2*delay+2*jitter {
		t.Errorf("round trip %v", trip)
	}
}

func TestNothingOldIsHeardAfterAFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := bytes.Repeat([]byte{1}, 5*media.SampleRate), bytes.Repeat([]byte{2}, media.SampleRate)
		down, ended := newMouth(old), make(chan error, 1)
		streams := make(chan *mediastream.Stream, 1)
		g := newGateway(t, mediastream.Config{Handler: answer(&ear{}, down, streams, ended)})
		cfg := g.phone()
		cfg.Record, cfg.Delay = true, 50*ms
		call, over := dial(t, cfg, &ear{}, newMouth())
		s := <-streams
		time.Sleep(1234 * ms)
		down.hush()
		heard := s.Flush()
		down.say(next)
		time.Sleep(3 * time.Second)
		_ = call.Hangup(t.Context(), nil)
		<-over
		<-ended
		noViolations(t, call)
		var all []byte
		for _, p := range call.Recording() {
			all = append(all, p.Audio...)
		}
		cut := bytes.IndexByte(all, 2)
		if cut < 0 || bytes.IndexByte(all[cut:], 1) >= 0 || len(all)-cut != len(next) {
			t.Errorf("of %d bytes heard, the new ones begin at %d and are not alone or not all", len(all), cut)
		}
		if off := media.Duration(int64(cut) - heard); abs(off) > 40*ms {
			t.Errorf("the old ones ended at %d, said to be %d", cut, heard)
		}
		// So late a clear would have left at most the lead to be heard.
		clears := call.Clears()
		if len(clears) != 1 || clears[0].Dropped > media.Bytes(mediastream.DefaultLead) || clears[0].Dropped == 0 {
			t.Errorf("clears: %+v", clears)
		}
		if got := s.Stats().Clears; got != 1 {
			t.Errorf("%d clears counted", got)
		}
	})
}

func TestTheCarrierIsKeptAheadByTheLead(t *testing.T) {
	for _, lead := range []time.Duration{100 * ms, 300 * ms, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			down, ended := newMouth(speech(20*media.SampleRate)), make(chan error, 1)
			streams := make(chan *mediastream.Stream, 1)
			g := newGateway(t, mediastream.Config{Lead: lead, Handler: answer(&ear{}, down, streams, ended)})
			cfg := g.phone()
			cfg.Record, cfg.Delay, cfg.Jitter = true, 40*ms, 20*ms
			call, over := dial(t, cfg, &ear{}, newMouth())
			<-streams
			for range 40 {
				time.Sleep(250 * ms)
				heard, taken := down.position()
				// Marks are a chunk apart and half a round trip late.
				if ahead := media.Duration(taken - heard); ahead > lead+250*ms {
					t.Errorf("lead %v: %v ahead of the last mark", lead, ahead)
				}
			}
			_ = call.Hangup(t.Context(), nil)
			<-over
			<-ended
			if n := len(call.Recording()); n != 1 {
				t.Errorf("lead %v: %d pieces were heard, so it broke", lead, n)
			}
		})
	}
}

func abs(d time.Duration) time.Duration { return max(d, -d) }
