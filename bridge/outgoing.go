package bridge

import (
	"errors"

	"github.com/callgw/callgw/bridge/media"
)

// Rings notes that the phone rings that a call out has called; status is the SIP
// response that told, 0 where there is none.
func (c *Call) Rings(status int) {
	c.rung.Do(func() {
		if status == 0 {
			c.note(EventRinging)
			return
		}
		c.note(EventRinging, "sip_status", status)
	})
}

// EarlyMedia notes that the far end of a call out is heard before it has answered:
// announcements, or the ringing itself.
func (c *Call) EarlyMedia() { c.early.Do(func() { c.note(EventEarlyMedia) }) }

// Refusal is the final response by which a far end has refused a call out.
type Refusal struct {
	Status int    // 300 to 699; 0: there was none
	Reason string // its phrase
}

// refusal returns what a call out was refused with. Errors of legs tell it by a
// method of that name.
func (c *Call) refusal() Refusal {
	var told interface {
		Refusal() (status int, reason string)
	}
	if !c.cfg.Outgoing || !errors.As(c.cause, &told) {
		return Refusal{}
	}
	status, reason := told.Refusal()
	return Refusal{status, reason}
}

// why are the attributes of the events that tell of the end.
func (c *Call) why() []any {
	attrs := []any{"cause", media.CauseOf(c.cause).String()}
	if r := c.refusal(); r.Status != 0 {
		attrs = append(attrs, "sip_status", r.Status, "sip_reason", r.Reason)
	}
	return attrs
}
