package bridge

import (
	"math"
	"time"

	"github.com/zaf/g711"

	"github.com/callgw/callgw/bridge/media"
)

// holdBeat is how often the hold tone sounds: short enough to end soon after
// there is somebody to speak again.
const holdBeat = 600 * time.Millisecond

// wait lets the caller hear, while the session is being repaired, that the call
// is still there.
func (c *Call) wait() {
	c.hold.Reset(holdBeat)
}

// holdOn plays one beat, unless what was received before the loss still sounds.
func (c *Call) holdOn() {
	if !c.queue.State().Sounding() {
		c.play("hold", holdTone())
	}
	c.hold.Reset(holdBeat)
}

// holdTone is one soft beat, with silence around it, in µ-law.
func holdTone() []byte {
	const (
		hz     = 440.0
		level  = 1500.0 // of 32767: -30 dBFS
		length = 160 * time.Millisecond
	)
	audio := appendSilence(nil, 200*time.Millisecond)
	n := media.Bytes(length)
	for i := range n {
		fade := math.Sin(math.Pi * float64(i) / float64(n)) // without clicks
		v := level * fade * math.Sin(2*math.Pi*hz*float64(i)/media.SampleRate)
		audio = append(audio, g711.EncodeUlawFrame(int16(v)))
	}
	return appendSilence(audio, 200*time.Millisecond)
}
