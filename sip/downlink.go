package sip

import (
	"sync"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/transcode"
)

// downlink is where the phone's audio is taken from, and put into the phone's law
// where it is of the other. The lock is the call's own, so that nobody is asked any
// more once another has taken over.
type downlink struct {
	mu    sync.Mutex
	to    source
	early source      // goes first: what is heard before the answer
	wire  media.Codec // that the phone hears
}

// source is a Downlink, nil for silence, with the law that it speaks.
type source struct {
	media.Downlink
	law media.Codec
}

var _ media.Downlink = (*downlink)(nil)

// attach makes to, which speaks law, what the phone hears.
func (d *downlink) attach(to media.Downlink, law media.Codec) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to = source{to, law}
}

// ring lets early be heard, until it is nil.
func (d *downlink) ring(early *ringback) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.early = source{}
	if early != nil {
		d.early = source{early, early.law}
	}
}

// hears makes wire the law of what Next gives from now on, and reports whether that
// has to be converted.
func (d *downlink) hears(wire media.Codec) (converted bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wire = wire
	return d.to.Downlink != nil && d.to.law != wire
}

func (d *downlink) Next(p []byte) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	from := d.early
	if from.Downlink == nil {
		from = d.to
	}
	if from.Downlink == nil {
		return 0
	}
	n := from.Next(p)
	if from.law != d.wire {
		transcode.AppendLaw(p[:0], p[:n], from.law, d.wire) // in place, byte for byte
	}
	return n
}

// Ready is for legs that would else poll: RTP asks every 20 ms.
func (d *downlink) Ready() <-chan struct{} { return nil }

// Heard is for legs whose far end buffers: RTP's does not.
func (d *downlink) Heard(int64) {}
