package bridge

import (
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/playout"
)

// DefaultDoubt is how long the provider has to confirm that the caller speaks
// before a playout paused in doubt goes on.
const DefaultDoubt = 600 * time.Millisecond

// pauses holds the playout while there is a reason to. The leg's reader, the
// session's reader and the call's own goroutine give and take reasons.
type pauses struct {
	queue *playout.Queue

	mu    sync.Mutex
	hold  bool // the far end put the call on hold
	doubt bool // the caller may be interrupting
}

// onHold sets, or takes away, the reason of a hold.
func (p *pauses) onHold(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hold = on
	p.apply()
}

// inDoubt sets, or takes away, the reason of a doubt, and returns whether that
// changed anything.
func (p *pauses) inDoubt(on bool) (changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	changed = p.doubt != on
	p.doubt = on
	p.apply()
	return changed
}

func (p *pauses) apply() {
	if p.hold || p.doubt {
		p.queue.Pause()
	} else {
		p.queue.Resume()
	}
}

// hesitate stops the agent's speech at the sample because the caller seems to
// speak. The provider's speech_started makes an interruption of it; otherwise
// the agent goes on where it stopped, and nothing is lost. It runs on the leg's
// reader.
func (c *Call) hesitate() {
	if !c.interruptible() {
		return
	}
	c.interruptMu.Lock()
	defer c.interruptMu.Unlock()
	if c.protected.Load() || !c.queue.State().Sounding() || !c.pauses.inDoubt(true) {
		return
	}
	if pos, ok := c.flush(); ok {
		c.queue.Rewind(pos)
	}
	c.note(EventPause)
	c.post(func() {
		c.doubt.Reset(c.cfg.Agent.BargeIn.window())
	})
}

// relent goes on speaking: nobody has confirmed that the caller interrupts.
func (c *Call) relent() {
	c.interruptMu.Lock()
	defer c.interruptMu.Unlock()
	if c.pauses.inDoubt(false) {
		c.note(EventGoOn)
	}
}

func (b BargeIn) window() time.Duration { return or(b.Window, DefaultDoubt) }
