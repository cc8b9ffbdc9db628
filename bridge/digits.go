package bridge

import (
	"strings"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
)

// digitPause ends an entry: digits that come later are another one.
const digitPause = 2500 * time.Millisecond

// entry is what the caller is keying in. It belongs to the call's goroutine.
type entry struct {
	digits []string
	timer  *time.Timer
}

// digit takes one key press. An entry is over at #, after a pause, or when the
// caller begins to speak.
func (c *Call) digit(d media.Digit) {
	c.lastActivity = time.Now()
	c.note(EventDigit, "digit", d.String())
	c.entry.digits = append(c.entry.digits, d.String())
	if d == '#' {
		c.tellDigits(true)
		return
	}
	c.entry.timer.Reset(digitPause)
}

// tellDigits tells the model what was keyed in, and asks for a response unless
// one comes anyway.
func (c *Call) tellDigits(respond bool) {
	c.entry.timer.Stop()
	if len(c.entry.digits) == 0 {
		return
	}
	pressed := strings.Join(c.entry.digits, " ")
	c.entry.digits = nil
	s := c.session.Load()
	if s == nil {
		return
	}
	err := s.CreateItem(realtime.Item{
		Type: "message", Role: "user",
		Content: []realtime.Content{{Type: "input_text", Text: "The caller pressed: " + pressed}},
	})
	if err == nil && respond && c.callee.mayReply() {
		err = s.Respond(realtime.ResponseRequest{})
	}
	if err != nil {
		c.log.Debug().Err(err).Msg("digits not told")
	}
}
