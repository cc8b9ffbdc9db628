package sdp

import (
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// Packet times that this side sends: multiples of step from minPtime to
// maxPtime.
const (
	step     = 10 * time.Millisecond
	minPtime = 10 * time.Millisecond
	maxPtime = 60 * time.Millisecond
)

// ptime returns how much audio to put into a packet for m's side: what it asks
// for (RFC 8866 §6.4), else what this side prefers, never above its maximum.
func ptime(m *Media, preferred time.Duration) time.Duration {
	want := m.Ptime
	if want == 0 {
		want = preferred
	}
	if want == 0 {
		want = media.FrameDuration
	}
	if m.MaxPtime > 0 {
		want = min(want, m.MaxPtime)
	}
	want -= want % step
	return min(max(want, minPtime), maxPtime)
}
