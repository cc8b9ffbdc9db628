package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/admin"
	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/sip"
)

// ringTimeout is how long a call out may ring, unless the request says.
const ringTimeout = 60 * time.Second

// Call places a call out and returns its id when it is under way. A SIP URI, and
// a number with a trunk, goes out by SIP, another number by the carrier of media
// streams. The agent is the one named or, without a name, the one that the dialplan
// gives to the call.
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
	switch {
	case g.streams == nil:
		return "", fmt.Errorf("%w: no media-stream carrier is configured, and %q is no SIP URI", admin.ErrRequest, out.To)
	case out.Name != "" || out.Asserted != "" || len(out.Headers) > 0:
		return "", fmt.Errorf("%w: name, asserted and headers are for calls by SIP: name a trunk", admin.ErrRequest)
	case out.From == "":
		return "", fmt.Errorf("%w: from is missing: a media-stream carrier calls from a number of its account", admin.ErrRequest)
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
	far := &farEnd{}
	order := mediastream.Outbound{
		To: out.To, From: out.From, RingTimeout: out.RingTimeout, Params: params,
		Observe: func(e mediastream.StatusEvent) {
			if e.Status == "ringing" {
				far.rings(0)
			}
			g.answeredBy(far, e.AnsweredBy)
		},
		Handler: func(ctx context.Context, s *mediastream.Stream) {
			from := origin{call, out.Agent}
			g.origins.keep(s.CallSID(), from, time.Now())
			g.serve(ctx, s, call, terms{carrier: s.CallSID(), agent: out.Agent, ringing: out.RingTimeout, far: far, detection: machine})
			g.origins.keep(s.CallSID(), from, time.Now())
		},
	}
	askCarrier(machine, &order)
	_, err = g.streams.Call(ctx, order)
	var refused *mediastream.RESTError
	if errors.As(err, &refused) && refused.Status == http.StatusBadRequest {
		// What is wrong is what was asked for: 21211 is a number that is none.
		err = fmt.Errorf("%w: the carrier refuses it: %d: %s", admin.ErrRequest, refused.Code, refused.Message)
	}
	return call.ID, err
}

// callSIP places a call by SIP. It is dialled when the agent is ready to speak.
func (g *Gateway) callSIP(out admin.Outbound) (string, error) {
	if g.sip == nil {
		return "", fmt.Errorf("%w: sip.listen is empty: no calls go out by SIP", admin.ErrRequest)
	}
	for name, value := range out.Headers {
		if fault := config.HeaderFault(name, value); fault != "" {
			return "", fmt.Errorf("%w: header %q: %s", admin.ErrRequest, name, fault)
		}
	}
	far := &farEnd{}
	dial := sip.Dial{
		To: out.To, From: out.From, Name: out.Name, Asserted: out.Asserted, ID: sip.NewCallID(),
		Trunk: out.Trunk, Headers: out.Headers, RingTimeout: out.RingTimeout,
		OnState: func(status int) {
			if status >= 180 {
				far.rings(status)
			}
		},
		Codecs: g.codecs(out.Trunk), Fixed: true,
		Early: func(media.Codec) media.Uplink { far.heard(); return nil },
	}
	if err := g.sip.Dialable(dial); err != nil {
		return "", fmt.Errorf("%w: %w", admin.ErrRequest, err)
	}
	call := facts("sip", out)
	machine, err := g.detectionOf(call, out)
	if err != nil {
		return "", err
	}
	leg := newDialled(dial.Codecs[0], func(ctx context.Context) (*sip.Call, error) { return g.sip.Dial(ctx, dial) })
	started := g.out.start(func(ctx context.Context) {
		g.serve(ctx, leg, call, terms{carrier: dial.ID, agent: out.Agent, ringing: out.RingTimeout, far: far, detection: machine})
	})
	if !started {
		return "", media.Shutdown
	}
	return call.ID, nil
}

// codecs are what is offered over a trunk: the far end will probably choose the first.
func (g *Gateway) codecs(trunk string) []media.Codec {
	if t := (*g.trunks.Load())[trunk]; t != nil && len(t.Codecs) > 0 {
		return t.Codecs
	}
	return []media.Codec{media.PCMU, media.PCMA}
}
