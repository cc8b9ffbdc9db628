package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/mask"
	"github.com/callgw/callgw/realtime"
)

// ring lets the caller hear that the call is being set up. A leg that cannot
// ring has ended, or is about to: its Run says why.
func (c *Call) ring(ctx context.Context) {
	if c.cfg.Outgoing {
		return // it is they who ring
	}
	if err := c.cfg.Leg.Ring(ctx); err != nil {
		c.log.Debug().Err(err).Msg("not ringing")
		return
	}
	c.note(EventRinging)
}

// openSession opens a session, within life, at the first provider that gives
// one, and carries it in ctx until it ends.
func (c *Call) openSession(ctx, life context.Context) {
	session, err := c.newSession()
	if err == nil {
		err = session.Open(life)
	}
	switch {
	case err == nil:
		c.carry(ctx, session)
	case life.Err() == nil:
		c.post(func() { c.fail(fmt.Errorf("bridge: %w: %w", media.ProviderRefused, err)) })
	}
}

// newSession makes the call's session. It is apart from openSession, whose stack
// lasts as long as the call.
func (c *Call) newSession() (*realtime.Session, error) {
	return realtime.NewSession(realtime.Config{
		Providers:      c.cfg.Agent.Providers,
		Properties:     c.properties(),
		Items:          c.cfg.Agent.Items,
		Handler:        (*receiver)(c),
		ConnectTimeout: c.cfg.ConnectTimeout,
		CloseTimeout:   c.cfg.Polite * 3 / 4,
		RepairTimeout:  c.cfg.Agent.Repair,
		Quiet:          c.undisturbed,
		Heard:          c.willHear,
		Functions:      c.functions(),
		MCPServers:     c.cfg.Agent.MCP,
		Dial:           c.sockets.reach,
	})
}

// carry runs an open session until it ends.
func (c *Call) carry(ctx context.Context, session *realtime.Session) {
	c.session.Store(session)
	c.post(func() { c.connected(session) })
	err := session.Run(ctx)
	if c.isEnding() {
		return
	}
	if err == nil {
		err = errors.New("closed")
	}
	c.meters.reconnect("lost")
	c.log.Warn().Err(err).Msg("session lost for good")
	c.post(func() { c.fail(fmt.Errorf("bridge: %w: %w", media.ProviderLost, err)) })
}

// properties are the agent's, completed: audio passes through in the leg's own
// codec, and the provider interrupts only when the caller may.
func (c *Call) properties() realtime.Properties {
	p := c.cfg.Agent.Properties
	format := realtime.FormatULaw
	if c.cfg.Leg.Codec() == media.PCMA {
		format = realtime.FormatALaw
	}
	if p.InputAudioFormat == "" {
		p.InputAudioFormat = format
	}
	if p.OutputAudioFormat == "" {
		p.OutputAudioFormat = format
	}
	barge := c.cfg.Agent.BargeIn
	if c.makesTurns() {
		return p // without detection there is nothing to set in it
	}
	if barge.Mode == BargeInOff || barge.ProtectGreeting && !c.cfg.Agent.Greeting.none() {
		p.TurnDetection = interrupting(p.TurnDetection, false)
	}
	if c.callee.waiting.Load() {
		p.TurnDetection = responding(p.TurnDetection, false)
	}
	return p
}

// interrupting returns d with interrupt_response set.
func interrupting(d *realtime.TurnDetection, on bool) *realtime.TurnDetection {
	set := realtime.TurnDetection{Type: "server_vad"}
	if d != nil {
		set = *d
	}
	set.InterruptResponse = &on
	return &set
}

// connected greets the caller and answers the call, in this order: the caller
// hears ringing while the greeting is being made, and the greeting with the
// first packet.
func (c *Call) connected(session *realtime.Session) {
	if !c.callee.waiting.Load() {
		c.greet(session)
	}
	c.accept()
}

// greet says the first words.
func (c *Call) greet(session *realtime.Session) {
	greeting := c.cfg.Agent.Greeting
	switch {
	case greeting.Say != "":
		c.protected.Store(c.cfg.Agent.BargeIn.ProtectGreeting)
		c.note(EventGreeting)
		if err := session.Respond(realtime.ResponseRequest{Instructions: greeting.Say}); err != nil {
			c.log.Debug().Err(err).Msg("greeting not requested")
		}
	case len(greeting.Audio) > 0:
		c.protected.Store(c.cfg.Agent.BargeIn.ProtectGreeting)
		c.note(EventGreeting)
		c.play("greeting", greeting.Audio)
		if greeting.Text != "" {
			if err := session.CreateItem(said(greeting.Text)); err != nil {
				c.log.Debug().Err(err).Msg("greeting not added to the conversation")
			}
		}
	}
}

// said is an item that tells the model what the caller heard it say.
func said(text string) realtime.Item {
	return realtime.Item{
		Type: "message", Role: "assistant",
		Content: []realtime.Content{{Type: "output_text", Text: text}},
	}
}

// answer answers the leg as soon as there is something to hear.
func (c *Call) answer(ctx context.Context) {
	if !c.cfg.Agent.Greeting.none() && !c.callee.waiting.Load() {
		wait := time.NewTimer(c.cfg.GreetingWait)
		defer wait.Stop()
		select {
		case <-c.firstAudio:
		case <-wait.C:
		case <-ctx.Done():
			return
		}
	}
	answering, cancel := context.WithTimeout(ctx, c.cfg.AnswerTimeout)
	defer cancel()
	if err := c.cfg.Leg.Answer(answering); err != nil {
		c.End(fmt.Errorf("bridge: answer: %w", err))
		return
	}
	c.post(c.answered)
}

func (c *Call) answered() {
	c.answeredAt = time.Now()
	c.lastActivity = c.answeredAt
	c.state.Store(uint32(Talking))
	c.meters.setup.Observe(c.answeredAt.Sub(c.timeline.start).Seconds())
	c.note(EventAnswered)
	c.log.Info().Str("from", mask.Number(c.cfg.Facts.From)).Str("to", mask.Number(c.cfg.Facts.To)).
		Float64("setup_ms", ms(c.answeredAt.Sub(c.timeline.start))).Msg("call answered")
	c.learnEarly()
}
