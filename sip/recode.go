package sip

import (
	"sync/atomic"

	"github.com/callgw/callgw/bridge/media"
)

// recoding is what is told of a call whose phone speaks another law than Run's audio.
type recoding struct {
	wire  atomic.Uint32 // the phone's law, and foreign; 0: it is Run's
	again bool          // it was told; owned by who serves the call
}

// foreign marks a law as one that is converted.
const foreign = 1 << 8

// recodes notes that the call is converted to and from wire. It is called with locks
// of the audio held: Run, or the relay, tells the rest.
func (c *Call) recodes(wire media.Codec) {
	if c.recoding.wire.CompareAndSwap(0, foreign|uint32(wire)) {
		c.signal()
	}
}

// tellRecoded tells, once, that the call is converted.
func (c *Call) tellRecoded() {
	r := &c.recoding
	wire := r.wire.Load()
	if wire == 0 || r.again {
		return
	}
	r.again = true
	phone := media.Codec(wire &^ foreign)
	c.s.cfg.Metrics.recoded(c.trunk.Name)
	c.log.Debug().Stringer("phone", phone).Stringer("session", c.Codec()).Msg("the phone speaks another law than the call")
	c.up.recoded(phone)
}
