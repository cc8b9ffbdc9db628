package gateway

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/mask"
	"github.com/callgw/callgw/internal/wav"
)

// newCallID returns an id that sorts by the time of the call.
func newCallID() string { return ulid.Make().String() }

// terms are what distinguishes one call from the usual.
type terms struct {
	carrier string        // the id by which the carrier knows it
	agent   string        // who takes it, whatever the dialplan says; empty: the dialplan
	ringing time.Duration // how long the far end may ring; 0: it is they who call
	far     *farEnd       // who is called; nil: it is they who call
	// detection is how it is found out who answers; nil: it is not.
	detection *config.MachineDetection
}

// serve carries one call from its arrival to its end.
func (g *Gateway) serve(ctx context.Context, leg bridge.Leg, call dialplan.Call, t terms) {
	c, err := g.admit(leg, call, t)
	if err != nil {
		g.refuse(ctx, leg, call, t, err)
		return
	}
	if err := g.calls.Run(ctx, c); err != nil && !c.Began() {
		g.notBegun(c.Facts(), t, media.CauseOf(err))
	}
}

func factsOf(call dialplan.Call, t terms) bridge.Facts {
	return bridge.Facts{ID: call.ID, Leg: call.Leg, Trunk: call.Trunk, From: call.From, To: call.To, Carrier: t.carrier}
}

// admit makes a call of what has arrived; the error wraps the cause of a refusal.
// It is apart from serve, whose stack lasts as long as the call.
func (g *Gateway) admit(leg bridge.Leg, call dialplan.Call, t terms) (*bridge.Call, error) {
	if err := g.calls.Admits(); err != nil {
		return nil, err
	}
	agent, err := g.route(call, t.agent)
	if err != nil {
		return nil, err
	}
	if agent.Detection, err = detection(t.detection, call); err != nil {
		return nil, err
	}
	facts := factsOf(call, t)
	c := bridge.New(bridge.Config{
		Facts: facts, Leg: leg, Agent: agent, Outgoing: t.far != nil,
		ConnectTimeout: connectTimeout,
		Log:            g.log.With().Str("carrier_call", t.carrier).Logger(),
		AnswerTimeout:  t.answerTimeout(),
		Metrics:        g.callLog,
		Observe: func(e bridge.Event) {
			g.health.observe(e)
			g.events.Publish(facts, e)
			g.observe(facts, e)
		},
	})
	if t.far != nil {
		t.far.of(c)
	}
	return c, nil
}

// refuse ends what has arrived before it was a call.
func (g *Gateway) refuse(ctx context.Context, leg bridge.Leg, call dialplan.Call, t terms, why error) {
	log := g.log.With().Str("call", call.ID).Str("carrier_call", t.carrier).Logger()
	g.notBegun(factsOf(call, t), t, media.CauseOf(why))
	log.Info().Str("leg", call.Leg).Str("trunk", call.Trunk).Str("from", mask.Number(call.From)).
		Str("to", mask.Number(call.To)).AnErr("reason", why).Msg("call refused")
	if err := leg.Hangup(ctx, why); err != nil {
		log.Debug().Err(err).Msg("refusal not delivered")
	}
}

// notBegun books a call that was refused. Of a call out somebody has the id, and will
// ask what came of it.
func (g *Gateway) notBegun(call bridge.Facts, t terms, cause media.Cause) {
	g.countRejected(call.Leg, call.Trunk, cause)
	if t.far != nil {
		g.calls.Remember(bridge.Past{Facts: call, Agent: t.agent, Cause: cause, Ended: time.Now()})
	}
}

// answerTimeout is how long the leg may take to be answered; 0: the default.
func (t terms) answerTimeout() time.Duration {
	if t.ringing == 0 {
		return 0
	}
	return t.ringing + 15*time.Second // what carriers add, and take to say so
}

// route decides who takes a call, unless somebody is named. The error wraps the
// cause of a rejection.
func (g *Gateway) route(call dialplan.Call, named string) (bridge.Agent, error) {
	now := g.current.Load()
	if a := now.Agents[named]; a != nil {
		return g.agent(now, a, call)
	}
	decision := now.Dialplan.Decide(call)
	if r := decision.Redirect; r != nil {
		return bridge.Agent{}, fmt.Errorf("gateway: route %s: %w", decision.Route.Name, media.Redirection{To: r.To})
	}
	if r := decision.Reject; r != nil {
		if decision.Route == nil {
			return bridge.Agent{}, fmt.Errorf("gateway: dialplan: %w", media.NoRoute)
		}
		return bridge.Agent{}, fmt.Errorf("gateway: route %s: %w", decision.Route.Name,
			media.Rejection{Status: r.Code, Phrase: r.Reason})
	}
	agent, err := g.agent(now, now.Agent(decision), call)
	if err != nil {
		return bridge.Agent{}, fmt.Errorf("gateway: %w: %w", media.Internal, err)
	}
	return agent, nil
}

// agent resolves an agent of the configuration for one call.
func (g *Gateway) agent(r *config.Reloadable, a *config.Agent, call dialplan.Call) (bridge.Agent, error) {
	out := bridge.Agent{
		Name: a.Name,
		BargeIn: bridge.BargeIn{
			ProtectGreeting: a.BargeIn.ProtectGreeting, Threshold: a.BargeIn.Threshold, Window: a.BargeIn.Window,
		},
		Limits: bridge.Limits{Duration: a.Limits.Duration, Silence: a.Limits.Silence, Cost: a.Limits.Cost},
		Prices: map[string]bridge.Prices{},

		Repair:      a.Repair,
		StartPaused: a.StartAudioPaused, HideTranscripts: !a.Transcripts,
	}
	switch a.BargeIn.Mode {
	case "instant":
		out.BargeIn.Mode = bridge.BargeInInstant
	case "off":
		out.BargeIn.Mode = bridge.BargeInOff
	}
	for model, p := range r.Prices {
		out.Prices[model] = bridge.Prices(p)
	}
	for _, name := range a.Provider {
		p, err := g.provider(r, name)
		if err != nil {
			return out, err
		}
		out.Providers = append(out.Providers, p)
	}
	var err error
	if out.Properties, err = a.Properties(call); err != nil {
		return out, err
	}
	if out.Greeting.Say, err = a.GreetingFor(call); err != nil {
		return out, err
	}
	if out.Items, err = a.Conversation(call); err != nil {
		return out, err
	}
	if err := g.equip(&out, a, call); err != nil {
		return out, err
	}
	out.Greeting.Text = a.Greeting.Text
	if out.Greeting.Audio, err = recording(a.Greeting.File); err != nil {
		return out, err
	}
	returned(&out, call)
	out.OnFailure.Audio, err = recording(a.OnFailure.Play)
	return out, err
}

// recording reads a WAV file; no path is no recording. It is read for each call,
// so that a new recording needs no reload; the system caches it.
func recording(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	audio, err := wav.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return audio, nil
}
