package mediastream_test

import (
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

func TestGapsAreFilledFromTimestamps(t *testing.T) {
	type frame struct {
		stamp   int64 // ms; negative: none
		silence time.Duration
	}
	for name, frames := range map[string][]frame{
		"no gap":                            {{60, 0}, {80, 0}, {100, 0}},
		"the first timestamp is the origin": {{5000, 0}, {5020, 0}},
		"a lost frame":                      {{0, 0}, {40, 20 * ms}, {60, 0}},
		"two seconds":                       {{0, 0}, {2020, 2 * time.Second}, {2040, 0}},
		"at most ten seconds":               {{0, 0}, {60020, 10 * time.Second}, {60040, 0}},
		"jitter of the timestamps":          {{0, 0}, {25, 0}, {38, 0}, {62, 0}, {80, 0}},
		"drift adds up":                     {{0, 0}, {30, 0}, {60, 20 * ms}, {80, 0}},
		"no timestamps":                     {{-1, 0}, {-1, 0}, {-1, 0}},
		"duplicates":                        {{0, 0}, {20, 0}, {20, 0}, {40, 0}, {60, 0}},
		"neighbours exchanged":              {{0, 0}, {40, 20 * ms}, {20, 0}, {60, 0}, {80, 0}},
		"a clock set back":                  {{5000, 0}, {0, 0}, {20, 0}, {60, 20 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			g := mediastream.NewGaps(at(0))
			for i, f := range frames {
				got := g.Audio(at(0), max(f.stamp, 0), f.stamp >= 0, media.FrameBytes)
				if got != media.Bytes(f.silence) {
					t.Errorf("frame %d: %v of silence, want %v", i, media.Duration(got), f.silence)
				}
			}
		})
	}
}

// TestSilenceIsInventedWhileNothingArrives lets the carrier say nothing for a
// while, and go on with what it left out accounted for in its timestamps.
func TestSilenceIsInventedWhileNothingArrives(t *testing.T) {
	for name, tt := range map[string]struct {
		pause, late time.Duration // of the carrier's audio, and of the network
	}{
		"skipped silence":                 {2 * time.Second, 0},
		"skipped silence, then a delay":   {2 * time.Second, 60 * ms},
		"shorter than what counts as one": {60 * ms, 0},
		"one second":                      {time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := mediastream.NewGaps(at(0))
			var passed int64
			passed += g.Audio(at(0), 0, true, media.FrameBytes) + media.FrameBytes
			resume := 20*ms + tt.pause
			for now := g.Due(); now.Before(at(resume + tt.late)); now = g.Due() {
				n := g.Idle(now)
				if n != media.FrameBytes {
					t.Fatalf("%d bytes of silence at %v", n, now.Sub(at(0)))
				}
				passed += n
				if clock := media.Bytes(now.Sub(at(0))); clock-passed > media.Bytes(100*ms) || passed > clock {
					t.Fatalf("%v passed on at %v", media.Duration(passed), now.Sub(at(0)))
				}
			}
			passed += g.Audio(at(resume+tt.late), resume.Milliseconds(), true, media.FrameBytes) + media.FrameBytes
			if want := media.Bytes(resume + 20*ms); passed != want {
				t.Errorf("%v passed on, want %v", media.Duration(passed), media.Duration(want))
			}
		})
	}
}

func TestLateAudioIsNotLostToInventedSilence(t *testing.T) {
	// The network stops for 500 ms, then all arrives at once.
	g := mediastream.NewGaps(at(0))
	g.Audio(at(0), 0, true, media.FrameBytes)
	var invented int64
	for now := g.Due(); now.Before(at(500 * ms)); now = g.Due() {
		invented += g.Idle(now)
	}
	for stamp := int64(20); stamp < 500; stamp += 20 {
		if n := g.Audio(at(500*ms), stamp, true, media.FrameBytes); n != 0 {
			t.Errorf("%d bytes of silence before audio that came late", n)
		}
	}
	if n := g.Audio(at(540*ms), 540, true, media.FrameBytes); n != 2*media.FrameBytes {
		t.Errorf("%d bytes for a gap of 40 ms after that", n)
	}
	if invented < media.Bytes(380*ms) || invented > media.Bytes(420*ms) {
		t.Errorf("%v invented", media.Duration(invented))
	}
}

func TestAPauseOfTheMachineIsBounded(t *testing.T) {
	g := mediastream.NewGaps(at(0))
	if n := g.Idle(at(time.Hour)); n < media.Bytes(10*time.Second) || n > media.Bytes(10100*ms) {
		t.Errorf("%v of silence", media.Duration(n))
	}
	if n := g.Idle(at(time.Hour)); n != 0 {
		t.Errorf("%v more", media.Duration(n))
	}
}

// TestTimestampsThatJumpDoNotMakeSilence sends a frame every 20 ms.
func TestTimestampsThatJumpDoNotMakeSilence(t *testing.T) {
	for name, stamp := range map[string]func(i int64) int64{
		"to and fro":     func(i int64) int64 { return i % 2 << 40 },
		"without an end": func(i int64) int64 { return i * 60_000 },
		"out of range":   func(i int64) int64 { return i % 2 << 62 },
		"before 0":       func(i int64) int64 { return -(i % 2) << 60 },
	} {
		t.Run(name, func(t *testing.T) {
			g := mediastream.NewGaps(at(0))
			var passed int64
			const frames = 1000
			for i := range int64(frames) {
				passed += g.Audio(at(time.Duration(i)*20*ms), stamp(i), true, media.FrameBytes) + media.FrameBytes
			}
			if most := media.Bytes(frames*20*ms + 10100*ms); passed > most {
				t.Errorf("%v were passed on of %v", media.Duration(passed), media.Duration(frames*media.FrameBytes))
			}
		})
	}
}

func FuzzGaps(f *testing.F) {
	f.Add(int64(0), int64(1)<<40, int64(0), uint16(20))
	f.Add(int64(1)<<62, int64(-1), int64(5), uint16(60_000))
	f.Fuzz(func(t *testing.T, a, b, c int64, pause uint16) {
		g := mediastream.NewGaps(at(0))
		var passed, said int64
		now := at(0)
		for _, stamp := range []int64{a, b, c, a, c, b} {
			now = now.Add(time.Duration(pause) * ms)
			n := g.Audio(now, stamp, true, media.FrameBytes)
			if n < 0 || n > media.Bytes(10*time.Second) {
				t.Fatalf("%d bytes of silence", n)
			}
			passed, said = passed+n, said+media.FrameBytes
		}
		if most := media.Bytes(now.Sub(at(0)) + 10100*ms); passed > most {
			t.Fatalf("%d bytes of silence, at most %d", passed, most)
		}
	})
}
