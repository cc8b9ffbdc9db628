package bridge

import "github.com/callgw/callgw/realtime"

// speakNow lets the agent speak that has waited for a human.
func (c *Call) speakNow() {
	s := c.session.Load()
	if !c.callee.waiting.CompareAndSwap(true, false) || s == nil {
		return
	}
	if !c.makesTurns() {
		d := responding(c.properties().TurnDetection, c.repliesByItself())
		if err := s.Update(realtime.Properties{TurnDetection: d}); err != nil {
			c.log.Warn().Err(err).Msg("agent does not reply: session not updated")
		}
	}
	if c.cfg.Agent.Greeting.none() {
		// What the callee has said meanwhile waits for its reply.
		if err := s.Respond(realtime.ResponseRequest{}); err != nil {
			c.log.Debug().Err(err).Msg("reply not requested")
		}
		return
	}
	c.greet(s)
}

// responding returns d with create_response set.
func responding(d *realtime.TurnDetection, on bool) *realtime.TurnDetection {
	set := realtime.TurnDetection{Type: "server_vad"}
	if d != nil {
		set = *d
	}
	set.CreateResponse = &on
	return &set
}
