package bridge

import (
	"strings"

	"github.com/callgw/callgw/realtime"
)

// differing is the session that was last told to be otherwise than asked.
type differing struct {
	told    bool
	session string // the server's id for it
}

// differs tells, once for each of the server's sessions, what the server has
// set otherwise than it was asked to. The call goes on: what would be heard as
// noise, an audio format, is refused before.
func (c *Call) differs(e realtime.SessionUpdated) {
	if len(e.Differs) == 0 || c.differing == (differing{true, e.Session.ID}) {
		return
	}
	c.differing = differing{true, e.Session.ID}
	members := strings.Join(e.Differs, ", ")
	c.note(EventDiffers, "members", members)
	c.log.Warn().Str("members", members).Msg("provider has set the session otherwise than asked")
}
