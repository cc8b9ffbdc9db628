package bridge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/playout"
	"github.com/callgw/callgw/internal/mask"
	"github.com/callgw/callgw/realtime"
)

// Defaults of [Config].
const (
	DefaultConnectTimeout = 10 * time.Second
	DefaultAnswerTimeout  = 20 * time.Second
	DefaultGreetingWait   = 3 * time.Second
	DefaultPolite         = time.Second
)

// Facts say what call it is. They label logs and metrics.
type Facts struct {
	ID    string // unique, on every log line of the call
	Leg   string // sip, twilio, …
	Trunk string
	From  string
	To    string
	// Carrier is the id by which the carrier knows it: of SIP the Call-ID.
	Carrier string
}

// Config of a call.
type Config struct {
	Facts Facts
	Leg   Leg
	Agent Agent
	// Outgoing says that the leg calls somebody: Answer returns when he has answered.
	// Its Ring is not called; Rings and EarlyMedia are for whoever learns of that.
	Outgoing bool

	// ConnectTimeout bounds the opening of one provider's session,
	// AnswerTimeout the leg's answer, GreetingWait how long the caller hears
	// ringing while the greeting is being made, Polite how long each side may
	// take to end. Defaults are DefaultConnectTimeout and so on.
	ConnectTimeout time.Duration
	AnswerTimeout  time.Duration
	GreetingWait   time.Duration
	Polite         time.Duration
	// ReplyTimeout is how long the caller may wait for a reply to begin before
	// it is asked for again. Default DefaultReplyTimeout.
	ReplyTimeout time.Duration

	// Dial reaches the providers; nil: see [realtime.Config].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Log     zerolog.Logger
	Metrics *Metrics    // nil: not measured
	Observe func(Event) // called with each event of the timeline, in order; must not block
}

// State is where a call is in its life.
type State uint32

// A call's life.
const (
	Arriving State = iota
	Connecting
	Answered
	Talking
	Holding
	Ending
	Transferred // the agent's part is over; the caller speaks to the target by way of the leg
	Ended
)

// String returns the state's name in lower case.
func (s State) String() string {
	return [...]string{"arriving", "connecting", "answered", "talking", "holding", "ending", "transferred", "ended"}[s]
}

// Call is one phone call.
type Call struct {
	cfg      Config
	log      zerolog.Logger
	timeline *timeline
	meters   *meters
	queue    *playout.Queue
	formats  *formats
	watch    *formatWatch   // of the session's reader
	downlink media.Downlink // the queue, as the leg sees it
	uplink   *uplink
	turns    turns
	pauses   pauses
	callee   callee
	rung     sync.Once // a call out was told to ring
	early    sync.Once // and to be heard early

	interruptMu sync.Mutex // held while the agent is being stopped, or goes on

	session     atomic.Pointer[realtime.Session]
	state       atomic.Uint32
	refusals    atomic.Int32 // of sessions, since one was open
	endingSince atomic.Int64 // Unix nanoseconds, 0 while the call lives
	inbox       *inbox
	sockets     *sockets
	firstAudio  chan struct{} // closed when the first agent audio is queued
	firstOnce   sync.Once
	protected   atomic.Bool // what is sounding may not be interrupted
	failed      atomic.Bool // the model is not heard any more
	// transferring is set while somebody else is being reached for the caller.
	transferring atomic.Bool

	endOnce sync.Once
	ending  chan struct{} // closed by End
	cause   error         // set before ending is closed
	ended   chan struct{} // closed when Run returns
	// together ends, by part, when a caller who was passed on is to be hung up.
	together context.Context
	part     context.CancelCauseFunc

	// Owned by Run's goroutine.
	accept       func() // answers the leg, once, in a goroutine of its own
	answeredAt   time.Time
	lastActivity time.Time
	owed         owed
	retryAt      time.Time // when a response that was refused may be asked for again
	entry        entry
	doubt        *time.Timer // ends a pause in doubt
	hold         *time.Timer // beats while the session is being repaired
	linger       *time.Timer // until what was sent last has sounded at the far end
	farewell     farewell
	quiet        []func() // what waits until the caller has heard all there is
	cost         float64  // US dollars so far
	differing    differing
}

// New returns a call that Run carries.
func New(cfg Config) *Call {
	cfg.ConnectTimeout = or(cfg.ConnectTimeout, DefaultConnectTimeout)
	cfg.AnswerTimeout = or(cfg.AnswerTimeout, DefaultAnswerTimeout)
	cfg.GreetingWait = or(cfg.GreetingWait, DefaultGreetingWait)
	cfg.Polite = or(cfg.Polite, DefaultPolite)
	cfg.ReplyTimeout = or(cfg.ReplyTimeout, DefaultReplyTimeout)
	f := cfg.Facts
	c := &Call{
		cfg: cfg,
		log: cfg.Log.With().Str("call", f.ID).Str("leg", f.Leg).Str("trunk", f.Trunk).
			Str("agent", cfg.Agent.Name).Logger(),
		timeline:   &timeline{start: time.Now(), observe: cfg.Observe},
		inbox:      newInbox(),
		sockets:    newSockets(cfg),
		firstAudio: make(chan struct{}),
		ending:     make(chan struct{}),
		ended:      make(chan struct{}),
	}
	c.together, c.part = context.WithCancelCause(context.Background())
	c.meters = cfg.Metrics.resolve(f, cfg.Agent)
	_, ahead := cfg.Leg.(media.Flusher)
	c.queue = playout.New(playout.Config{
		Ahead:    ahead,
		Started:  func(ref playout.Ref) { at := time.Now(); c.post(func() { c.agentStarts(ref, at) }) },
		Drained:  func() { c.post(c.agentStops) },
		Underrun: func() { c.meters.underruns.Inc(); c.note(EventUnderrun) },
	})
	c.pauses.queue, c.downlink = c.queue, c.queue
	var echo *reference
	listening := cfg.Agent.Detection.By == DetectedInAudio
	if c.listens() || listening {
		echo = newReference()
		c.downlink = &downlink{Queue: c.queue, codec: cfg.Leg.Codec(), echo: echo}
	}
	c.uplink = &uplink{call: c, ear: newEar(c, echo)}
	c.uplink.paused.Store(cfg.Agent.StartPaused)
	c.callee.waiting.Store(c.detects() && cfg.Agent.Detection.WaitForHuman)
	err := c.cfg.Agent.Detection.Timing.Complete()
	if err == nil && listening {
		c.uplink.listener, err = newListener(c, echo)
	}
	if err != nil {
		c.End(fmt.Errorf("bridge: %w: %w", media.Internal, err))
	}
	if c.formats, err = newFormats(cfg.Leg.Codec(), cfg.Agent.Properties); err != nil {
		c.End(fmt.Errorf("bridge: %w: %w", media.Internal, err))
	}
	c.watch = newFormatWatch(c.formats.out)
	c.doubt, c.hold, c.linger, c.entry.timer = stoppedTimer(), stoppedTimer(), stoppedTimer(), stoppedTimer()
	c.note(EventArrived, "from", mask.Number(f.From), "to", mask.Number(f.To))
	return c
}

func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// Facts returns what was known of the call when it arrived.
func (c *Call) Facts() Facts { return c.cfg.Facts }

// Arrived returns when the call arrived, or was placed.
func (c *Call) Arrived() time.Time { return c.timeline.start }

// Direction returns "in" for a call that somebody makes to us, "out" for one that we
// make.
func (c *Call) Direction() string {
	if c.cfg.Outgoing {
		return "out"
	}
	return "in"
}

// Agent returns the name of the call's agent.
func (c *Call) Agent() string { return c.cfg.Agent.Name }

// HidesTranscripts reports that what is said in the call is not to be shown.
func (c *Call) HidesTranscripts() bool { return c.cfg.Agent.HideTranscripts }

// State returns where the call is in its life.
func (c *Call) State() State { return State(c.state.Load()) }

// Began reports that the call was carried, not only refused.
func (c *Call) Began() bool { return c.State() != Arriving }

// HasSession reports that a session is open for the call.
func (c *Call) HasSession() bool {
	return c.session.Load() != nil && c.State() < Transferred
}

// Timeline returns what has happened so far.
func (c *Call) Timeline() []Event { return c.timeline.snapshot() }

// Ended is closed when nothing of the call is left.
func (c *Call) Ended() <-chan struct{} { return c.ended }

// End ends the call for cause, an error that is or wraps a [media.Cause]. It
// does not wait. The first cause wins.
func (c *Call) End(cause error) {
	c.endOnce.Do(func() {
		c.cause = cause
		close(c.ending)
	})
}

// Run carries the call through its life and returns its cause when nothing of
// it is left. When ctx ends, so does the call.
func (c *Call) Run(ctx context.Context) error {
	defer close(c.ended)
	defer c.state.Store(uint32(Ended))

	// The two sides outlive the call's life by what politeness takes.
	sides, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	life, endLife := context.WithCancelCause(sides)

	var legSide, modelSide sync.WaitGroup
	legSide.Go(func() { c.End(c.cfg.Leg.Run(sides, c.uplink, c.downlink)) })
	rang := make(chan struct{})
	legSide.Go(func() {
		defer close(rang)
		c.ring(life)
	})
	modelSide.Go(func() { c.openSession(sides, life) })
	var accepted bool // a call may fail while it is being answered
	c.accept = func() {
		if accepted {
			return
		}
		accepted = true
		legSide.Go(func() {
			<-rang // a session may open faster than a leg rings
			c.answer(life)
		})
	}

	c.loop(ctx)

	endLife(c.cause)
	took := c.teardown(sides, cut, &legSide, &modelSide)
	c.relay(ctx)
	c.conclude(took)
	return c.cause
}

// loop is the call's own goroutine at work, until the call is to end.
func (c *Call) loop(ctx context.Context) {
	c.state.Store(uint32(Connecting))
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	defer c.doubt.Stop()
	defer c.hold.Stop()
	defer c.linger.Stop()
	defer c.entry.timer.Stop()
	for {
		select {
		case <-c.inbox.wake:
			c.inbox.take()()
		case now := <-tick.C:
			c.meters.flush(c)
			c.checkLimits(now)
			c.checkReply(now)
			c.checkFarewell(now)
			c.checkCallee(now)
		case <-c.doubt.C:
			c.relent()
		case <-c.linger.C:
			c.End(c.farewell.cause)
		case <-c.hold.C:
			c.holdOn()
		case <-c.entry.timer.C:
			c.tellDigits(true)
		case <-ctx.Done():
			c.End(shutdown(context.Cause(ctx)))
		case <-c.ending:
			return
		}
	}
}

func (c *Call) isEnding() bool {
	select {
	case <-c.ending:
		return true
	default:
		return false
	}
}

// shutdown makes the end of a context the end of a call.
func shutdown(err error) error {
	var cause media.Cause
	if errors.As(err, &cause) {
		return err
	}
	return fmt.Errorf("bridge: %w: %w", media.Shutdown, err)
}

// post hands op to the call's own goroutine.
func (c *Call) post(op func()) {
	if !c.inbox.put(op) {
		// Nobody but the provider tells so much at a time.
		c.End(fmt.Errorf("bridge: %w: %d of its events wait", media.ProviderLost, inboxLimit))
	}
}

// ms is a duration as logs have it: milliseconds, whatever the line.
func ms(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// note records an event and logs it at debug.
func (c *Call) note(name string, attrs ...any) {
	e := c.timeline.add(name, attrs...)
	if l := c.log.Debug(); l.Enabled() {
		for _, a := range e.Attrs {
			if d, ok := a.Value.(time.Duration); ok {
				l = l.Float64(a.Key+"_ms", ms(d))
				continue
			}
			l = l.Any(a.Key, a.Value)
		}
		l.Float64("offset_ms", ms(e.Offset)).Msg(name)
	}
}
