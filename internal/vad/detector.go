package vad

import (
	"math/bits"
	"time"
)

// FrameDuration is the time one frame stands for.
const FrameDuration = 20 * time.Millisecond

// How the threshold of [Config] becomes levels. Speech on a telephone line
// averages about -20 dBFS and rarely falls below -40; line noise lies at -60 and
// below, the echo of a voice 30 dB or more below it.
const (
	gateLow, gateRange     = -60.0, 30.0 // dBFS: nothing below the gate is speech
	marginLow, marginRange = 4.0, 16.0   // dB above the noise floor that speech needs
	hysteresis             = 3.0         // dB below the onset's level that still continue speech
)

// How the noise floor follows the line, in dB per frame. It falls fast and
// rises slowly, slower still during speech, which pauses where noise does not.
const (
	floorStart   = -65.0
	floorHighest = -25.0
	floorFall    = 0.25 // share of the way down per frame
	floorRise    = 0.12 // 6 dB/s
	floorCreep   = 0.03 // 1.5 dB/s
)

// Config of a [Detector].
type Config struct {
	// Threshold is how loud speech must be, above 0 (least) to 1 (most).
	// At 0.5, the default, a frame counts as loud from -45 dBFS and 12 dB above
	// the noise floor.
	Threshold float64
	// Onset of the last Window frames must be loud for speech to begin.
	// Defaults 3 and 5; Window is at most 64.
	Onset, Window int
	// Hangover is how long no frame may be loud for speech to end, rounded up
	// to frames. Default 500 ms.
	Hangover time.Duration
}

// Detector follows one stream. It is not safe for concurrent use.
type Detector struct {
	gate, margin     float64
	onset, hangover  int
	window           uint64 // mask of the frames that count for an onset
	floor            float64
	recent           uint64 // one bit per frame, newest lowest: was it loud
	speaking         bool
	quiet            int   // frames since the last loud one
	frames, lastLoud int64 // frames seen; the index after the last loud one
}

// New returns a detector that has heard nothing yet.
func New(cfg Config) *Detector {
	if cfg.Threshold <= 0 {
		cfg.Threshold = 0.5
	}
	if cfg.Window <= 0 {
		cfg.Window = 5
	}
	if cfg.Onset <= 0 {
		cfg.Onset = 3
	}
	if cfg.Hangover <= 0 {
		cfg.Hangover = 500 * time.Millisecond
	}
	threshold, window := min(cfg.Threshold, 1), min(cfg.Window, 64)
	return &Detector{
		gate:     gateLow + gateRange*threshold,
		margin:   marginLow + marginRange*threshold,
		onset:    min(cfg.Onset, window),
		hangover: int((cfg.Hangover + FrameDuration - 1) / FrameDuration),
		window:   ^uint64(0) >> (64 - window),
		floor:    floorStart,
	}
}

// Change is what a frame did to the stream's state.
type Change uint8

// The changes.
const (
	None Change = iota
	Started
	Stopped
)

// String names the change.
func (c Change) String() string {
	switch c {
	case Started:
		return "started"
	case Stopped:
		return "stopped"
	}
	return "none"
}

// Frame takes the level of the next frame, in dBFS. When that begins or ends
// speech it says so, and at which frame, counted from 0 for the stream's first:
// the first loud one of the onset, or the one after the last loud one.
func (d *Detector) Frame(level float64) (change Change, at int64) {
	needed := max(d.gate, d.floor+d.margin)
	if d.speaking {
		needed -= hysteresis
	}
	loud := level >= needed
	d.follow(level)
	d.recent <<= 1
	d.frames++
	if loud {
		d.recent |= 1
		d.quiet = 0
		d.lastLoud = d.frames
	} else {
		d.quiet++
	}
	switch onset := d.recent & d.window; {
	case !d.speaking && bits.OnesCount64(onset) >= d.onset:
		d.speaking = true
		return Started, d.frames - int64(bits.Len64(onset))
	case d.speaking && d.quiet >= d.hangover:
		d.speaking = false
		d.recent = 0
		return Stopped, d.lastLoud
	}
	return None, 0
}

// Speaking tells whether the stream is inside speech, hangover included.
func (d *Detector) Speaking() bool { return d.speaking }

// Frames returns how many frames the detector has taken.
func (d *Detector) Frames() int64 { return d.frames }

// Floor returns the level of the background, in dBFS.
func (d *Detector) Floor() float64 { return d.floor }

// Reset ends speech without a change being reported, as after a buffer was
// thrown away. The noise floor and the frame count stay.
func (d *Detector) Reset() {
	d.speaking = false
	d.recent = 0
}

func (d *Detector) follow(level float64) {
	switch rise := floorRise; {
	case level < d.floor:
		d.floor += (level - d.floor) * floorFall
	default:
		if d.speaking {
			rise = floorCreep
		}
		d.floor = min(level, d.floor+rise, floorHighest)
	}
}
