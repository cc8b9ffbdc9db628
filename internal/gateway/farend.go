package gateway

import (
	"sync"

	"github.com/callgw/callgw/bridge"
)

// farEnd passes on what a carrier tells of a phone that we call, which may be before
// there is a call to tell it of.
type farEnd struct {
	mu   sync.Mutex
	call *bridge.Call
	told []func(c *bridge.Call) // before
}

// of makes c the call that it is told of.
func (f *farEnd) of(c *bridge.Call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.call = c
	for _, tell := range f.told {
		tell(c)
	}
	f.told = nil
}

func (f *farEnd) tell(what func(c *bridge.Call)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.call == nil {
		f.told = append(f.told, what)
		return
	}
	what(f.call)
}

func (f *farEnd) rings(status int) { f.tell(func(c *bridge.Call) { c.Rings(status) }) }

func (f *farEnd) heard() { f.tell((*bridge.Call).EarlyMedia) }
