package bridge

import "github.com/callgw/callgw/realtime"

// How much a formatWatch must have seen before it is sure: bytes, and movement in
// them, for silence looks the same in every format.
const (
	enoughBytes    = 320
	enoughMovement = 8000
	enoughValues   = 48 // different low halves: a tone at a quarter of the rate has two
)

// formatWatch notices 16-bit PCM that comes under the name of G.711, as some
// servers have sent it: played, it is a loud roar.
//
// In G.711 every byte is a sample, so bytes at even and at odd places behave
// alike. In little-endian PCM the odd ones are the high halves of samples and
// wander slowly, while the even ones jump about.
type formatWatch struct {
	seen      int
	even, odd int64 // sums of the steps between neighbours of one parity
	previous  [2]byte
	values    [256]bool // seen at even places
	different int
	decided   bool
}

// suspicious takes the beginning of a session's audio and returns true when it
// is PCM.
func (w *formatWatch) suspicious(p []byte) bool {
	if w.decided {
		return false
	}
	for _, b := range p {
		parity := w.seen & 1
		if w.seen >= 2 {
			step := int64(int8(b - w.previous[parity]))
			if step < 0 {
				step = -step
			}
			if parity == 0 {
				w.even += step
			} else {
				w.odd += step
			}
		}
		w.previous[parity] = b
		if parity == 0 && !w.values[b] {
			w.values[b] = true
			w.different++
		}
		w.seen++
	}
	if w.seen < enoughBytes || w.even+w.odd < enoughMovement {
		return false
	}
	w.decided = true
	return w.even > 6*w.odd && w.different >= enoughValues
}

// newFormatWatch returns a watch for a format, nil where there is nothing to
// mistake.
func newFormatWatch(f realtime.AudioFormat) *formatWatch {
	if f == realtime.FormatPCM16 {
		return nil
	}
	return &formatWatch{}
}
