package gateway

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/callgw/callgw/bridge"
)

// refusalMemory is how long the refusal of the latest session makes the gateway
// unready: without calls there is no other way to learn that a provider is
// back.
const refusalMemory = 30 * time.Second

// health remembers how the latest attempts to open a session went.
type health struct {
	opened, refused atomic.Int64 // Unix nanoseconds, 0 never
}

// observe takes an event of any call.
func (h *health) observe(e bridge.Event) {
	switch e.Name {
	case bridge.EventSessionOpen:
		h.opened.Store(time.Now().UnixNano())
	case bridge.EventSessionFail:
		h.refused.Store(time.Now().UnixNano())
	}
}

// ready returns why no call can be taken, nil if one can.
func (g *Gateway) ready() error {
	if g.calls.Draining() {
		return errors.New("draining")
	}
	if missing := g.unregistered(); missing != "" {
		return fmt.Errorf("trunk %s is not registered", missing)
	}
	refused := g.health.refused.Load()
	if refused > g.health.opened.Load() && time.Since(time.Unix(0, refused)) < refusalMemory {
		return errors.New("no provider answers")
	}
	return nil
}
