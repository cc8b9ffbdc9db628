package sip

import (
	"sync"

	gosip "github.com/emiago/sipgo/sip"
)

// attempts are the INVITEs of ours that have no final response, by their side of
// the dialogs that may come of them.
type attempts struct {
	mu sync.Mutex
	m  map[dialogID]*attempt
}

func (as *attempts) add(a *attempt) {
	as.mu.Lock()
	defer as.mu.Unlock()
	if as.m == nil {
		as.m = make(map[dialogID]*attempt)
	}
	as.m[a.id] = a
}

func (as *attempts) remove(a *attempt) {
	as.mu.Lock()
	defer as.mu.Unlock()
	delete(as.m, a.id)
}

// of returns the attempt that a request of the peer's belongs to, or nil.
func (as *attempts) of(req *gosip.Request) *attempt {
	as.mu.Lock()
	defer as.mu.Unlock()
	return as.m[dialogID{callID: callID(req), local: toTag(req)}]
}
