package bridge

import (
	"errors"
	"fmt"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime"
)

// DefaultReplyTimeout is how long the caller may wait for a reply to begin.
const DefaultReplyTimeout = 8 * time.Second

// mostRetries is how often a response that failed, or never came, is asked for
// again before the call is given up.
const mostRetries = 1

var errNoReply = errors.New("no reply to what the caller said")

// owed is the reply that the caller waits for. It belongs to the call's
// goroutine.
type owed struct {
	since   time.Time // zero: none
	retries int
}

// oweReply notes that the caller's turn is over.
func (c *Call) oweReply(at time.Time) {
	if c.repliesByItself() && c.callee.mayReply() {
		c.owed = owed{since: at}
	}
}

// repliesByItself reports that a response follows the caller's turn without
// anybody else asking for it.
func (c *Call) repliesByItself() bool {
	d := c.cfg.Agent.Properties.TurnDetection
	return d == nil || d.Type == "none" || d.CreateResponse == nil || *d.CreateResponse
}

// checkReply asks again for a reply that does not come: no error of any kind
// may leave a caller talking to nobody.
func (c *Call) checkReply(now time.Time) {
	if !c.retryAt.IsZero() && !now.Before(c.retryAt) {
		c.retryAt = time.Time{}
		c.retryResponse(now, errNoReply)
		return
	}
	if c.owed.since.IsZero() || now.Sub(c.owed.since) < c.cfg.ReplyTimeout {
		return
	}
	c.note(EventNoReply, "waited", now.Sub(c.owed.since))
	c.retryResponse(now, errNoReply)
}

// retryResponse asks for a response again, or gives the call up.
func (c *Call) retryResponse(now time.Time, why error) {
	s := c.session.Load()
	if s == nil || c.owed.retries >= mostRetries {
		c.fail(fmt.Errorf("bridge: %w: %w", media.ProviderLost, why))
		return
	}
	c.owed = owed{since: now, retries: c.owed.retries + 1}
	if c.queue.State().Generating {
		// A response that was begun and brings nothing stands in the way.
		c.cancel([]string{""})
	}
	again := realtime.ResponseRequest{Instructions: c.pendingGreeting()}
	if c.callee.message.hushed.Load() {
		again = c.messageRequest()
	}
	if err := s.Respond(again); err != nil {
		c.log.Debug().Err(err).Msg("response not asked for again")
	}
}

// pendingGreeting returns what the agent is to say while it has said nothing.
func (c *Call) pendingGreeting() string {
	select {
	case <-c.firstAudio:
		return ""
	default:
		return c.cfg.Agent.Greeting.Say
	}
}
