package gateway

import "github.com/callgw/callgw/internal/modelwatch"

// Timely serves a handler with bodies that come in time.
var Timely = timely

// Models returns the models whose retirement is watched.
func (g *Gateway) Models() []modelwatch.Target { return g.models() }
