package bridge

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/playout"
	"github.com/callgw/callgw/internal/vad"
)

// How much quieter than the agent's voice its echo is. Telephone networks
// cancel echo to 30 dB and more; a loudspeaker beside a microphone leaves 12.
const (
	echoMargin = 12.0 // dB below the agent's recent level: taken for echo
	echoDecay  = 20.0 // dB a second, by which that level is forgotten
)

// reference is how loud the agent was of late: the measure of its echo. The
// leg's writer and the leg's reader share it.
type reference struct {
	level atomic.Uint64 // dBFS, as bits of a float64
	at    atomic.Int64  // Unix nanoseconds
}

func newReference() *reference {
	r := &reference{}
	r.level.Store(math.Float64bits(vad.Quiet))
	return r
}

func (r *reference) recent(now time.Time) float64 {
	since := time.Duration(now.UnixNano() - r.at.Load())
	return math.Float64frombits(r.level.Load()) - echoDecay*since.Seconds()
}

// sent takes the level of audio that goes out.
func (r *reference) sent(level float64, now time.Time) {
	if level >= r.recent(now) {
		r.level.Store(math.Float64bits(level))
		r.at.Store(now.UnixNano())
	}
}

// explains reports that a frame from the caller is no louder than the echo of
// the agent's own voice.
func (r *reference) explains(level float64, now time.Time) bool {
	return level < r.recent(now)-echoMargin
}

// downlink is a playout queue that tells the reference how loud it is.
type downlink struct {
	*playout.Queue
	codec media.Codec
	echo  *reference
}

// Next implements media.Downlink.
func (d *downlink) Next(p []byte) int {
	n := d.Queue.Next(p)
	if n > 0 {
		d.echo.sent(vad.Level(d.codec, p[:n]), time.Now())
	}
	return n
}
