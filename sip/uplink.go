package sip

import (
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/transcode"
)

// uplink passes on what comes from the phone, in the law that its receiver speaks:
// untouched where that is the phone's. Audio comes from the RTP reader, digits by
// INFO from the signalling's; a lock of the call's own keeps the receiver from seeing
// two of them at once.
type uplink struct {
	mu     sync.Mutex
	to     media.Uplink // nil until Run
	law    media.Codec  // that to hears
	wire   media.Codec  // that frames come in
	buffer []byte       // for what is converted
}

var _ media.KeyUplink = (*uplink)(nil)

// attach makes to, which hears law, the receiver.
func (u *uplink) attach(to media.Uplink, law media.Codec) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.to, u.law = to, law
}

// speaks makes wire the law of the frames that follow, and reports whether they have
// to be converted.
func (u *uplink) speaks(wire media.Codec) (converted bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.wire = wire
	return u.law != wire
}

func (u *uplink) Frame(p []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.wire != u.law {
		u.buffer = transcode.AppendLaw(u.buffer[:0], p, u.wire, u.law)
		p = u.buffer
	}
	u.to.Frame(p)
}

func (u *uplink) Hold(on bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.to.Hold(on)
}

// recoded tells the receiver, if it wants to know, that the phone speaks wire.
func (u *uplink) recoded(wire media.Codec) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if to, ok := u.to.(media.Recoder); ok {
		to.Recoded(wire)
	}
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
