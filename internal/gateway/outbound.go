package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/admin"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/sip"
)

// ringTimeout is how long a call out may ring, unless the request says.
const ringTimeout = 60 * time.Second

// Call places a call out and returns its id when it is under way. A SIP URI, and
// a number with a trunk, goes out by SIP, another number by the carrier of media
// streams. The agent is the one
// named or, without a name, the one that the dialplan gives to the call.
func (g *Gateway) Call(ctx context.Context, out admin.Outbound) (id string, err error) {
	if err := g.calls.Admits(); err != nil {
		return "", err
	}
	if out.Agent != "" && g.current.Load().Agents[out.Agent] == nil {
		return "", fmt.Errorf("%w: there is no agent %q", admin.ErrRequest, out.Agent)
	}
	if out.RingTimeout == 0 {
		out.RingTimeout = ringTimeout
	}
	if out.Trunk != "" && (*g.trunks.Load())[out.Trunk] == nil {
		return "", fmt.Errorf("%w: there is no trunk %q", admin.ErrRequest, out.Trunk)
	}
	if out.Trunk != "" || strings.HasPrefix(out.To, "sip:") || strings.HasPrefix(out.To, "sips:") {
		return g.callSIP(out)
	}
	return g.callStream(ctx, out)
}

// facts are what the dialplan and templates know of a call out.
func facts(leg string, out admin.Outbound) dialplan.Call {
	call := dialplan.Call{
		ID: newCallID(), Leg: leg, Trunk: out.Trunk, From: out.From, To: out.To,
		Header: map[string][]string{}, Param: map[string]string{"direction": "outbound"}, At: time.Now(),
	}
	for name, value := range out.Params {
		call.Param[name] = value
	}
	return call
}

// callStream places a call by the carrier of media streams.
func (g *Gateway) callStream(ctx context.Context, out admin.Outbound) (string, error) {
	if g.streams == nil {
		return "", fmt.Errorf("%w: no media-stream carrier is configured, and %q is no SIP URI", admin.ErrRequest, out.To)
	}
	call := facts("twilio", out)
	machine, err := g.detectionOf(call, out)
	if err != nil {
		return "", err
	}
	params := url.Values{}
	for name, value := range out.Params {
		params.Set(name, value)
	}
	order := mediastream.Outbound{
		To: out.To, From: out.From, RingTimeout: out.RingTimeout, Params: params,
		Handler: func(ctx context.Context, s *mediastream.Stream) {
			g.serve(ctx, s, call, terms{carrier: s.CallSID(), agent: out.Agent, ringing: out.RingTimeout, detection: machine})
		},
	}
	g.askCarrier(machine, call.ID, &order)
	_, err = g.streams.Call(ctx, order)
	return call.ID, err
}

// callSIP places a call by SIP. It is dialled when the agent is ready to speak.
func (g *Gateway) callSIP(out admin.Outbound) (string, error) {
	if g.sip == nil {
		return "", fmt.Errorf("%w: sip.listen is empty: no calls go out by SIP", admin.ErrRequest)
	}
	call := facts("sip", out)
	machine, err := g.detectionOf(call, out)
	if err != nil {
		return "", err
	}
	leg := newDialled(func(ctx context.Context) (*sip.Call, error) {
		ringing, cancel := context.WithTimeoutCause(ctx, out.RingTimeout, media.NoAnswer)
		defer cancel()
		return g.sip.Dial(ringing, sip.Dial{To: out.To, From: out.From, Trunk: out.Trunk})
	})
	started := g.out.start(func(ctx context.Context) {
		g.serve(ctx, leg, call, terms{agent: out.Agent, ringing: out.RingTimeout, detection: machine})
	})
	if !started {
		return "", media.Shutdown
	}
	return call.ID, nil
}

// dialled is the leg of a SIP call out: answering it is dialling. Until then its
// codec is the one that is offered first.
type dialled struct {
	*sip.Call // set when ready is closed
	dial      func(ctx context.Context) (*sip.Call, error)
	ready     chan struct{}
	hungUp    chan struct{}
	hangUp    sync.Once
}

func newDialled(dial func(context.Context) (*sip.Call, error)) *dialled {
	return &dialled{dial: dial, ready: make(chan struct{}), hungUp: make(chan struct{})}
}

// Codec is what the session is opened for, before anybody was called.
func (d *dialled) Codec() media.Codec { return media.PCMU }

// Ring does nothing: it is the far end that rings.
func (d *dialled) Ring(context.Context) error { return nil }

// Answer dials.
func (d *dialled) Answer(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-d.hungUp:
			cancel()
		case <-ctx.Done():
		}
	}()
	call, err := d.dial(ctx)
	if err != nil {
		return err
	}
	if call.Codec() != media.PCMU {
		err := fmt.Errorf("gateway: the far end speaks %v only: %w", call.Codec(), media.NotAcceptable)
		return errors.Join(err, call.Hangup(ctx, err))
	}
	d.Call = call
	close(d.ready)
	return nil
}

// Run carries the call once it was answered.
func (d *dialled) Run(ctx context.Context, up media.Uplink, down media.Downlink) error {
	select {
	case <-d.ready:
		return d.Call.Run(ctx, up, down)
	case <-d.hungUp:
		return media.OperatorHungUp
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Hangup ends the call, or the attempt.
func (d *dialled) Hangup(ctx context.Context, cause error) error {
	select {
	case <-d.ready:
		return d.Call.Hangup(ctx, cause)
	default:
	}
	d.hangUp.Do(func() { close(d.hungUp) })
	return nil
}
