package sip

import (
	"sync"

	"github.com/callgw/callgw/bridge/media"
)

// downlink is where the phone's audio is taken from. The lock is the call's own,
// so that nobody is asked any more once another has taken over.
type downlink struct {
	mu sync.Mutex
	to media.Downlink // nil: silence
}

var _ media.Downlink = (*downlink)(nil)

func (d *downlink) attach(to media.Downlink) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to = to
}

func (d *downlink) Next(p []byte) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.to == nil {
		return 0
	}
	return d.to.Next(p)
}

// Ready is for legs that would else poll: RTP asks every 20 ms.
func (d *downlink) Ready() <-chan struct{} { return nil }

// Heard is for legs whose far end buffers: RTP's does not.
func (d *downlink) Heard(int64) {}
