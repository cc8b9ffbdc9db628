package bridge

import (
	"sync/atomic"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
)

// longestMessage bounds what the model makes of a message for a machine.
const longestMessage = 2 * time.Minute

// message is how the agent is kept from speaking to a machine before its time.
type message struct {
	// hushed keeps the model from hearing and from being heard.
	hushed   atomic.Bool
	response string // that is heard all the same; of the session's reader
}

// hush stops the agent, as an interruption does, and keeps it silent.
func (c *Call) hush() {
	c.interruptMu.Lock()
	defer c.interruptMu.Unlock()
	c.callee.message.hushed.Store(true)
	c.protected.Store(true) // from the machine
	c.owed = owed{}
	c.retryAt = time.Time{}
	doubted := c.pauses.inDoubt(false)
	i := c.queue.Interrupt()
	heard := i.Sent
	if i.Sounding && !doubted { // whoever paused in doubt has flushed already
		if pos, ok := c.flush(); ok {
			heard = pos
		}
	}
	for _, cut := range i.At(heard) {
		c.forget(cut)
	}
	if len(i.Running) > 0 {
		c.cancel(i.Running)
	}
}

// begins books a response that begins, on the session's reader. While the agent is
// hushed only the message may: all else is cancelled.
func (c *Call) begins(r realtime.Response) {
	c.interruptMu.Lock()
	defer c.interruptMu.Unlock()
	m := &c.callee.message
	if m.hushed.Load() {
		if r.Metadata[goodbyeMark] == "" {
			c.cancel([]string{r.ID})
			return
		}
		m.response = r.ID
	}
	c.queue.Begin(r.ID)
}

// unheard reports that what comes of a response is not to be heard. It is for the
// session's reader.
func (m *message) unheard(responseID []byte) bool {
	return m.hushed.Load() && m.response != string(responseID)
}

// leaveMessage leaves the message, and ends the call when all of it was heard.
func (c *Call) leaveMessage() {
	s := c.session.Load()
	if c.farewell.cause != nil {
		return
	}
	if s == nil {
		c.End(media.AnsweringMachine)
		return
	}
	c.note(EventMessage)
	now := time.Now()
	m := c.cfg.Agent.Detection.Message
	if len(m.Audio) > 0 {
		length := media.Duration(int64(len(m.Audio)))
		c.farewell = farewell{cause: media.AnsweringMachine, begun: true, until: now.Add(length + goodbyeTimeout)}
		c.play("message", m.Audio)
		if m.Text != "" {
			if err := s.CreateItem(said(m.Text)); err != nil {
				c.log.Debug().Err(err).Msg("message not added to the conversation")
			}
		}
		return
	}
	if err := s.Respond(c.messageRequest()); err != nil {
		c.End(media.AnsweringMachine)
		return
	}
	c.farewell = farewell{cause: media.AnsweringMachine, until: now.Add(goodbyeTimeout)}
}

// messageRequest asks the model for the message.
func (c *Call) messageRequest() realtime.ResponseRequest {
	return realtime.ResponseRequest{
		Instructions: c.cfg.Agent.Detection.Message.Say,
		Metadata:     map[string]string{goodbyeMark: "1"},
	}
}
