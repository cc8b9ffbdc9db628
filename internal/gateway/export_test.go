package gateway

import (
	"context"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/modelwatch"
	"github.com/callgw/callgw/sip"
)

// Dialled returns the leg of a call out that dial places.
func Dialled(dial func(context.Context) (*sip.Call, error)) bridge.Leg {
	return newDialled(media.PCMU, dial)
}

// Timely serves a handler with bodies that come in time.
var Timely = timely

// Models returns the models whose retirement is watched.
func (g *Gateway) Models() []modelwatch.Target { return g.models() }

// Behind serves requests that proxies pass on.
var Behind = behind

// Targets tells who may be called.
var Targets = targets

// Returned is what an agent is told of a call.
func Returned(call dialplan.Call) bridge.Agent {
	out := bridge.Agent{Greeting: bridge.Greeting{Say: "Greet."}}
	returned(&out, call)
	return out
}

// Origins remembers who was asked to speak in calls out.
type Origins struct{ origins }

// Keep remembers a call's agent.
func (o *Origins) Keep(carrierCall, agent string, now time.Time) {
	o.keep(carrierCall, origin{agent: agent}, now)
}

// Take returns the agent of a call that has come back.
func (o *Origins) Take(carrierCall string, now time.Time) (agent string, ok bool) {
	from, ok := o.take(carrierCall, now)
	return from.agent, ok
}
