package answering

import (
	"math"

	"github.com/callgw/callgw/internal/vad"
)

// activity is what was said without a pause as long as Config.SpeechEnd. What does
// not change, a tone or noise, says nothing.
type activity struct {
	vad   *vad.Detector
	level [2]float64 // of the two frames before

	began, ended  int64 // frames; ended is after the last one with sound
	open          bool  // something was said since the last reset
	sounding      bool
	steady, total int // frames with sound, and those that were as loud 40 ms before
}

const (
	steadyLevel = 2.5 // dB
	steadyShare = 0.8
)

// gap is how long no frame may be loud for a sound to end.
const gap = 3 * vad.FrameDuration

func newActivity() activity {
	return activity{vad: vad.New(vad.Config{Hangover: gap}), level: [2]float64{vad.Quiet, vad.Quiet}}
}

// frame takes the level of the next frame, now being its number.
func (a *activity) frame(level float64, now int64) {
	change, at := a.vad.Frame(level)
	a.sounding = a.vad.Speaking()
	if a.sounding {
		a.total++
		if math.Abs(level-a.level[0]) <= steadyLevel {
			a.steady++
		}
	}
	a.level[0], a.level[1] = a.level[1], level
	switch {
	case change == vad.Started && !a.open:
		a.open, a.began, a.ended = true, at, now+1
	case change == vad.Stopped:
		a.ended = at
	case a.sounding:
		a.ended = now + 1
	}
}

// length returns how long was spoken so far, in frames, pauses included.
func (a *activity) length() int64 {
	if !a.open {
		return 0
	}
	return a.ended - a.began
}

// speech tells that what was heard has changed as speech does.
func (a *activity) speech() bool { return float64(a.steady) < steadyShare*float64(a.total) }

// reset begins anew: what was heard was no speech.
func (a *activity) reset() { a.open, a.steady, a.total = false, 0, 0 }
