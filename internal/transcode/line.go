package transcode

import "github.com/callgw/callgw/bridge/media"

// window is what the filter sees of samples 8 kHz apart, oldest first.
type window = [2 * reach]int16

// line is a delay line: the samples that a filter still needs, oldest first.
type line struct {
	samples [len(window{}) + media.FrameBytes]int16 // a window of history and a frame
	n       int                                     // how many of them are there
}

// reset makes the line one that has heard only silence, that many samples of it.
func (l *line) reset(silence int) {
	clear(l.samples[:silence])
	l.n = silence
}

// room is where the next samples go: a frame at least. Who puts samples there
// raises n.
func (l *line) room() []int16 { return l.samples[l.n:] }

// windows returns how many windows the line holds, each beginning one sample
// after the other.
func (l *line) windows() int { return max(0, l.n-len(window{})+1) }

// window returns the i-th of them.
func (l *line) window(i int) *window { return (*window)(l.samples[i:]) }

// drop removes the oldest n samples.
func (l *line) drop(n int) {
	copy(l.samples[:], l.samples[n:l.n])
	l.n -= n
}
