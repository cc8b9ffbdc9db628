package sip

import (
	"sync"

	"github.com/callgw/callgw/bridge/media"
)

// downlink is where the phone's audio is taken from. The lock is the call's own,
// so that nobody is asked any more once another has taken over.
type downlink struct {
	mu    sync.Mutex
	to    media.Downlink // nil: silence
	early media.Downlink // goes first: what is heard before the answer, or nil
}

var _ media.Downlink = (*downlink)(nil)

func (d *downlink) attach(to media.Downlink) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to = to
}

// ring lets early be heard, until it is nil.
func (d *downlink) ring(early media.Downlink) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.early = early
}

func (d *downlink) Next(p []byte) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.early != nil:
		return d.early.Next(p)
	case d.to != nil:
		return d.to.Next(p)
	}
	return 0
}

// Ready is for legs that would else poll: RTP asks every 20 ms.
func (d *downlink) Ready() <-chan struct{} { return nil }

// Heard is for legs whose far end buffers: RTP's does not.
func (d *downlink) Heard(int64) {}
