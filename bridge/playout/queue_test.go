package playout_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/playout"
)

// audio returns n bytes that tell their place, from first on.
func audio(first, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte((first + i) % 251)
	}
	return p
}

func write(t *testing.T, q *playout.Queue, ref playout.Ref, p []byte) bool {
	t.Helper()
	kept, err := q.Write([]byte(ref.ResponseID), []byte(ref.ItemID), ref.ContentIndex, p)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func next(q *playout.Queue) []byte {
	p := make([]byte, media.FrameBytes)
	return p[:q.Next(p)]
}

var (
	first  = playout.Ref{ResponseID: "resp_1", ItemID: "item_1"}
	second = playout.Ref{ResponseID: "resp_1", ItemID: "item_2"}
	later  = playout.Ref{ResponseID: "resp_2", ItemID: "item_3"}
)

func TestAudioComesOutAsItWentIn(t *testing.T) {
	q := playout.New(playout.Config{})
	q.Begin("resp_1")
	want := audio(0, 10_007)
	for in := want; len(in) > 0; {
		n := min(333, len(in))
		write(t, q, first, in[:n])
		in = in[n:]
	}
	q.End("resp_1")
	var got []byte
	for p := next(q); len(p) > 0; p = next(q) {
		got = append(got, p...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes came out, differing from the %d that went in", len(got), len(want))
	}
}

func TestInterruptionLeavesWhatWasHeard(t *testing.T) {
	q := playout.New(playout.Config{})
	q.Begin("resp_1")
	write(t, q, first, audio(0, 400))
	q.EndItem(first)
	write(t, q, second, audio(0, 1000))
	third := playout.Ref{ResponseID: "resp_1", ItemID: "item_4"}
	if !q.Item(third.ResponseID, third.ItemID) {
		t.Fatal("an item of a running response was refused")
	}
	for range 4 { // 640 bytes: the first item and 240 bytes of the second
		next(q)
	}
	i := q.Interrupt()
	want := []playout.Cut{
		{Ref: second, Received: 1000, Sent: 240, Heard: 240},
		{Ref: third},
	}
	if d := cmp.Diff(want, i.At(i.Sent)); d != "" {
		t.Error(d)
	}
	if !i.Sounding {
		t.Error("the interruption does not know that audio was queued")
	}
	if d := cmp.Diff([]string{"resp_1"}, i.Running); d != "" {
		t.Error(d)
	}
	if got := next(q); len(got) != 0 {
		t.Errorf("%d bytes after the interruption", len(got))
	}
}

func TestWhatStillComesOfAnInterruptedResponseIsDropped(t *testing.T) {
	q := playout.New(playout.Config{})
	q.Begin("resp_1")
	write(t, q, first, audio(0, 800))
	q.Interrupt()
	if write(t, q, first, audio(800, 800)) || write(t, q, second, audio(0, 800)) {
		t.Error("a late delta was kept")
	}
	if q.Item(second.ResponseID, second.ItemID) {
		t.Error("an item of an interrupted response was promised to be heard")
	}
	q.End("resp_1")
	q.Begin("resp_2")
	if !write(t, q, later, audio(0, 800)) {
		t.Error("the next response was dropped")
	}
	if got := next(q); !bytes.Equal(got, audio(0, 160)) {
		t.Error("the next response does not begin at its beginning")
	}
}

func TestAResponseInterruptedBeforeItsFirstSoundIsDropped(t *testing.T) {
	q := playout.New(playout.Config{})
	q.Begin("resp_1")
	i := q.Interrupt()
	if i.Sounding || len(i.At(i.Sent)) != 0 {
		t.Errorf("something to cut where nothing was: %+v", i)
	}
	if write(t, q, first, audio(0, 800)) {
		t.Error("the delta that was in flight was kept")
	}
}

func TestNothingIsCutWhenAllWasHeard(t *testing.T) {
	q := playout.New(playout.Config{})
	q.Begin("resp_1")
	write(t, q, first, audio(0, 320))
	q.EndItem(first)
	q.End("resp_1")
	next(q)
	next(q)
	i := q.Interrupt()
	if cuts := i.At(i.Sent); i.Sounding || len(cuts) != 0 || len(i.Running) != 0 {
		t.Errorf("interruption of silence: %+v, cuts %+v", i, cuts)
	}
}

func TestAnItemHeardSoFarButNotFinishedIsCutWhereItStands(t *testing.T) {
	q := playout.New(playout.Config{Lead: time.Millisecond})
	q.Begin("resp_1")
	write(t, q, first, audio(0, 320))
	next(q)
	next(q)
	i := q.Interrupt()
	want := []playout.Cut{{Ref: first, Received: 320, Sent: 320, Heard: 320}}
	if d := cmp.Diff(want, i.At(i.Sent)); d != "" {
		t.Error(d)
	}
}

func TestALegThatWritesAheadReportsWhatWasHeard(t *testing.T) {
	q := playout.New(playout.Config{Ahead: true})
	q.Begin("resp_1")
	write(t, q, first, audio(0, 400))
	q.EndItem(first)
	write(t, q, second, audio(0, 1200))
	p := make([]byte, 1600)
	if n := q.Next(p); n != 1600 {
		t.Fatalf("Next handed out %d bytes of 1600", n)
	}
	q.Heard(160)
	for _, c := range []struct {
		name  string
		heard int64
		want  []playout.Cut
	}{
		{"within the first item", 200, []playout.Cut{
			{Ref: first, Received: 400, Sent: 400, Heard: 200, Complete: true},
			{Ref: second, Received: 1200, Sent: 1200},
		}},
		{"within the second", 401, []playout.Cut{{Ref: second, Received: 1200, Sent: 1200, Heard: 1}}},
		{"before what is known to be heard", 0, []playout.Cut{
			{Ref: first, Received: 400, Sent: 400, Heard: 160, Complete: true},
			{Ref: second, Received: 1200, Sent: 1200},
		}},
		{"beyond what was sent", 1 << 40, []playout.Cut{{Ref: second, Received: 1200, Sent: 1200, Heard: 1200}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Each case interrupts a queue of its own in the same state.
			q := playout.New(playout.Config{Ahead: true})
			q.Begin("resp_1")
			write(t, q, first, audio(0, 400))
			q.EndItem(first)
			write(t, q, second, audio(0, 1200))
			q.Next(make([]byte, 1600))
			q.Heard(160)
			if d := cmp.Diff(c.want, q.Interrupt().At(c.heard)); d != "" {
				t.Error(d)
			}
		})
	}
	q.Interrupt()
	q.Heard(400) // a late mark of the old playout
	if s := q.State(); s.Heard != s.Sent || s.Received != s.Sent {
		t.Errorf("after an interruption: %+v", s)
	}
}

func TestOnlyWholeFramesWhileMoreIsToCome(t *testing.T) {
	q := playout.New(playout.Config{Lead: time.Millisecond})
	q.Begin("resp_1")
	write(t, q, first, audio(0, 250))
	if n := len(next(q)); n != 160 {
		t.Errorf("first frame has %d bytes", n)
	}
	if n := len(next(q)); n != 0 {
		t.Errorf("a frame was torn after %d bytes", n)
	}
	q.EndItem(first)
	if got := next(q); !bytes.Equal(got, audio(160, 90)) {
		t.Errorf("the tail has %d bytes, want 90", len(got))
	}
}

func TestPlayoutBeginsWithALead(t *testing.T) {
	q := playout.New(playout.Config{Lead: 60 * time.Millisecond})
	q.Begin("resp_1")
	write(t, q, first, audio(0, 320))
	if n := len(next(q)); n != 0 {
		t.Errorf("%d bytes before the lead had built up", n)
	}
	select {
	case <-q.Ready():
		t.Error("ready before the lead had built up")
	default:
	}
	write(t, q, first, audio(320, 160))
	select {
	case <-q.Ready():
	default:
		t.Error("not ready with the lead built up")
	}
	if n := len(next(q)); n != 160 {
		t.Errorf("%d bytes with the lead built up", n)
	}
}

func TestAnUnderrunIsCountedOnceAndDoublesTheLead(t *testing.T) {
	underruns := 0
	q := playout.New(playout.Config{Lead: 20 * time.Millisecond, Underrun: func() { underruns++ }})
	q.Begin("resp_1")
	write(t, q, first, audio(0, 160))
	for range 5 {
		next(q)
	}
	if underruns != 1 || q.State().Underruns != 1 {
		t.Errorf("%d underruns reported, %d counted, want 1", underruns, q.State().Underruns)
	}
	write(t, q, first, audio(160, 160))
	if n := len(next(q)); n != 0 {
		t.Errorf("%d bytes with half of the doubled lead", n)
	}
	write(t, q, first, audio(320, 160))
	if n := len(next(q)); n != 160 {
		t.Errorf("%d bytes with the doubled lead", n)
	}
}

func TestPauseStopsAndResumeGoesOnAtTheSample(t *testing.T) {
	q := playout.New(playout.Config{})
	q.Begin("resp_1")
	write(t, q, first, audio(0, 800))
	next(q)
	q.Pause()
	if n := len(next(q)); n != 0 {
		t.Errorf("%d bytes while paused", n)
	}
	q.Resume()
	if got := next(q); !bytes.Equal(got, audio(160, 160)) {
		t.Error("playout did not go on where it stopped")
	}
	if u := q.State().Underruns; u != 0 {
		t.Errorf("a pause counted as %d underruns", u)
	}
}

func TestARewoundPlayoutGoesOnWhereTheCallerWas(t *testing.T) {
	q := playout.New(playout.Config{Ahead: true})
	q.Begin("resp_1")
	write(t, q, first, audio(0, 400))
	q.EndItem(first)
	write(t, q, second, audio(400, 1200))
	p := make([]byte, 800)
	q.Next(p)
	q.Heard(160)
	q.Pause()
	q.Rewind(480) // the caller is 80 bytes into the second item
	if n := q.Next(p); n != 0 {
		t.Fatalf("%d bytes while paused", n)
	}
	q.Resume()
	if n := q.Next(p); n != 800 || !bytes.Equal(p, audio(480, 800)) {
		t.Fatalf("%d bytes after the rewind, or not those that follow", n)
	}
	// The leg counts all that it was ever handed: 800 before, 800 after.
	q.Heard(800 + 160)
	i := q.Interrupt()
	if i.Sent != 1600 {
		t.Errorf("interrupted at %d, the leg was handed 1600", i.Sent)
	}
	want := []playout.Cut{{Ref: second, Received: 1200, Sent: 880, Heard: 80 + 320}}
	if d := cmp.Diff(want, i.At(800+320)); d != "" {
		t.Error(d)
	}
}

func TestAnItemIsPromisedBeforeItsContentPartIsKnown(t *testing.T) {
	q := playout.New(playout.Config{})
	q.Begin("resp_1")
	q.Item("resp_1", "item_1")
	ref := playout.Ref{ResponseID: "resp_1", ItemID: "item_1", ContentIndex: 1}
	write(t, q, ref, audio(0, 800))
	next(q)
	i := q.Interrupt()
	want := []playout.Cut{{Ref: ref, Received: 800, Sent: 160, Heard: 160}}
	if d := cmp.Diff(want, i.At(i.Sent)); d != "" {
		t.Error(d)
	}
}

func TestStartedAndDrained(t *testing.T) {
	var events []string
	q := playout.New(playout.Config{
		Started: func(r playout.Ref) { events = append(events, "started "+r.ItemID) },
		Drained: func() { events = append(events, "drained") },
	})
	q.Begin("resp_1")
	write(t, q, first, audio(0, 480))
	q.EndItem(first)
	for range 4 {
		next(q)
	}
	q.End("resp_1")
	q.Begin("resp_2")
	write(t, q, later, audio(0, 160))
	q.EndItem(later)
	q.End("resp_2")
	for range 3 {
		next(q)
	}
	want := []string{"started item_1", "drained", "started item_3", "drained"}
	if d := cmp.Diff(want, events); d != "" {
		t.Error(d)
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	q := playout.New(playout.Config{Limit: 1000})
	if _, err := q.Write([]byte("r"), []byte("i"), 0, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Write([]byte("r"), []byte("i"), 0, make([]byte, 1)); err != playout.ErrFull {
		t.Errorf("a full queue answers %v", err)
	}
}
