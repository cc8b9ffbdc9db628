package sip

import (
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// uplink passes on what comes from the phone. Audio comes from the RTP reader,
// digits by INFO from the signalling's; a lock of the call's own keeps the
// receiver from seeing two of them at once.
type uplink struct {
	mu sync.Mutex
	to media.Uplink // nil until Run
}

var _ media.KeyUplink = (*uplink)(nil)

func (u *uplink) attach(to media.Uplink) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.to = to
}

func (u *uplink) Frame(p []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.to.Frame(p)
}

func (u *uplink) Hold(on bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.to.Hold(on)
}

// Digit passes a key press on; one that comes before Run is lost.
func (u *uplink) Digit(d media.Digit) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.to != nil {
		u.to.Digit(d)
	}
}

// Released passes the end of a key press on, to who wants to know.
func (u *uplink) Released(d media.Digit, held time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if to, ok := u.to.(media.KeyUplink); ok {
		to.Released(d, held)
	}
}
