package playout_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/callgw/callgw/bridge/playout"
)

func TestWhatComesLateOfAResponseThatHadEndedBeforeItWasInterruptedIsDropped(t *testing.T) {
	q := playout.New(playout.Config{})
	q.Begin("resp_1")
	write(t, q, first, audio(0, 1600))
	q.End("resp_1")
	next(q)
	q.Interrupt()
	if write(t, q, second, audio(0, 1600)) {
		t.Error("its next item was kept")
	}
	q.Begin("resp_1") // a server may use the name again
	if !write(t, q, second, audio(0, 1600)) {
		t.Error("what is begun anew was dropped")
	}
}

// TestARecordingMayBeInterrupted does so before it is known that there is no more
// of it to come.
func TestARecordingMayBeInterrupted(t *testing.T) {
	q := playout.New(playout.Config{})
	clip := playout.Ref{ItemID: "hold"}
	for range 2 {
		if !write(t, q, clip, audio(0, 1600)) {
			t.Fatal("the next recording was dropped")
		}
		q.Interrupt()
		q.EndItem(clip)
		q.End("")
	}
}

func TestItemsWithoutEndAreBounded(t *testing.T) {
	for name, size := range map[string]int{"silent": 0, "short": 1} {
		t.Run(name, func(t *testing.T) {
			q := playout.New(playout.Config{})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var err error
			for i := 0; i < 200_000 && err == nil; i++ {
				_, err = q.Write([]byte("resp_1"), []byte(fmt.Sprintf("item_%d", i)), 0, audio(0, size))
			}
			if size > 0 && !errors.Is(err, playout.ErrFull) {
				t.Errorf("the error is %v", err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			if got := int64(after.HeapAlloc) - int64(before.HeapAlloc); got > 4<<20 {
				t.Errorf("%d bytes are kept", got)
			}
			runtime.KeepAlive(q)
		})
	}
}

// TestItemsThatWereHeardMakeRoom has a server that never ends what it begins.
func TestItemsThatWereHeardMakeRoom(t *testing.T) {
	q := playout.New(playout.Config{})
	for i := range 2000 {
		ref := playout.Ref{ResponseID: "resp_1", ItemID: fmt.Sprintf("item_%d", i)}
		if !write(t, q, ref, audio(0, 1600)) {
			t.Fatalf("item %d was dropped", i)
		}
		for len(next(q)) > 0 {
		}
	}
}

// TestAResponseThatHasEndedIsNotBegunByWhatComesLate has audio come after the end,
// all of which was heard by then.
func TestAResponseThatHasEndedIsNotBegunByWhatComesLate(t *testing.T) {
	drained := 0
	q := playout.New(playout.Config{Drained: func() { drained++ }})
	q.Begin("resp_1")
	write(t, q, first, audio(0, 480))
	q.End("resp_1")
	for len(next(q)) > 0 {
	}
	if !write(t, q, first, audio(480, 500)) {
		t.Fatal("late audio was dropped")
	}
	heard := 0
	for p := next(q); len(p) > 0; p = next(q) {
		heard += len(p)
	}
	if s := q.State(); heard != 500 || s.Generating || s.Sounding() || drained != 2 {
		t.Errorf("%d bytes heard, drained %d times, %+v", heard, drained, s)
	}
}
