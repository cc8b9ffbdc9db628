package bridge

import (
	"sync/atomic"
	"time"

	"github.com/callgw/callgw/bridge/answering"
	"github.com/callgw/callgw/bridge/media"
)

// callee is what is known of who has answered a call out.
type callee struct {
	answeredBy atomic.Uint32 // an answering.Verdict
	waiting    atomic.Bool   // the agent's words wait for a human
	message    message

	// Owned by the call's own goroutine.
	verdict answering.Verdict
	over    answering.End
	early   []func() // what was learnt before the answer was known here
}

// mayReply reports that the agent may answer what it hears: it neither waits for a
// human nor is kept from speaking to a machine.
func (e *callee) mayReply() bool { return !e.waiting.Load() && !e.message.hushed.Load() }

// detects reports that it is to be found out who answers.
func (c *Call) detects() bool { return c.cfg.Agent.Detection.By != DetectedByNobody }

// AnsweredBy returns who has answered the call: human, machine, fax or unknown;
// empty while it is not known, or not asked for.
func (c *Call) AnsweredBy() string {
	v := answering.Verdict(c.callee.answeredBy.Load())
	if v == answering.Undecided {
		return ""
	}
	return v.String()
}

// Answered tells what a carrier has found out: who has answered, and of a machine
// also when its message is over. It is of no effect unless the call's Detection is
// the carrier's.
func (c *Call) Answered(by answering.Verdict, over answering.End) {
	if c.cfg.Agent.Detection.By == DetectedByCarrier && by != answering.Undecided {
		c.post(func() { c.learn(by, over, time.Since(c.answeredAt)) })
	}
}

// learn takes what was found out, on the call's own goroutine; a verdict took so
// long since the answer.
func (c *Call) learn(v answering.Verdict, over answering.End, took time.Duration) {
	e := &c.callee
	if c.answeredAt.IsZero() {
		e.early = append(e.early, func() { c.learn(v, over, min(took, time.Since(c.answeredAt))) })
		return
	}
	if e.verdict == answering.Undecided {
		by := c.cfg.Agent.Detection.By.String()
		e.verdict = v
		e.answeredBy.Store(uint32(v))
		c.meters.answered(v.String(), by, took)
		c.note(EventAnsweredBy, "by", v.String(), "source", by, "took", took)
		leaves := v == answering.Machine && c.cfg.Agent.Detection.OnMachine == LeaveMessage && c.farewell.cause == nil
		if leaves {
			c.hush()
		}
		c.tellWho(v)
		if !leaves {
			c.react(v)
		}
	}
	if e.verdict == answering.Machine && e.over == answering.Running && over != answering.Running {
		e.over = over
		c.note(EventMachineOver, "how", over.String())
		if c.cfg.Agent.Detection.OnMachine == LeaveMessage {
			c.leaveMessage()
		}
	}
}

// learnEarly takes what was learnt before the answer.
func (c *Call) learnEarly() {
	early := c.callee.early
	c.callee.early = nil
	for _, learn := range early {
		learn()
	}
}

// tellWho tells the model who has answered.
func (c *Call) tellWho(v answering.Verdict) {
	if text := c.cfg.Agent.Detection.Tell[v]; text != "" {
		c.tell(text)
	}
}

// react does what is to be done about who has answered, unless that is a machine
// that gets a message.
func (c *Call) react(v answering.Verdict) {
	on := c.cfg.Agent.Detection.OnMachine
	switch {
	case c.farewell.cause != nil: // the call ends anyway
	case v == answering.Machine && on == HangUpAtOnce, v == answering.Fax && on != CarryOn:
		c.End(media.AnsweringMachine)
	default:
		c.speakNow()
	}
}

// verdictMargin is how long after Detection.Timing's timeout news may come.
const verdictMargin = 4 * time.Second

// checkCallee ends a detection that brings nothing: audio is the detector's clock,
// and may stop, and a carrier may say nothing.
func (c *Call) checkCallee(now time.Time) {
	d, e := &c.cfg.Agent.Detection, &c.callee
	if !c.detects() || c.answeredAt.IsZero() || now.Sub(c.answeredAt) < d.Timing.Timeout+verdictMargin {
		return
	}
	switch {
	case e.verdict == answering.Undecided:
		c.learn(answering.Unknown, answering.Running, now.Sub(c.answeredAt))
	case e.verdict == answering.Machine && e.over == answering.Running:
		c.learn(answering.Machine, answering.Timeout, 0)
	}
}
