package gateway

import (
	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/modelwatch"
)

// Timely serves a handler with bodies that come in time.
var Timely = timely

// Models returns the models whose retirement is watched.
func (g *Gateway) Models() []modelwatch.Target { return g.models() }

// Recoded returns what is between a session of a law and a far end of another.
func Recoded(session, far media.Codec, up media.Uplink, down media.Downlink) (media.Uplink, media.Downlink) {
	return recoded(session, far, up, down)
}

// Targets tells who may be called.
var Targets = targets

// Returned is what an agent is told of a call.
func Returned(call dialplan.Call) bridge.Agent {
	out := bridge.Agent{Greeting: bridge.Greeting{Say: "Greet."}}
	returned(&out, call)
	return out
}
