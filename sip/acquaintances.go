package sip

import (
	"net/netip"
	"sync"
	"sync/atomic"

	gosip "github.com/emiago/sipgo/sip"
)

// acquaintances are sources with which something of ours is under way: a request that
// waits for its answer, or a call. What belongs to that is not counted as a stranger's,
// whoever they are. Its zero value has none.
type acquaintances struct {
	some atomic.Int64 // how many there are: asking costs strangers next to nothing

	mu sync.Mutex
	m  map[netip.Addr]int // how much is under way
}

// meet notes that something begins, part that it is over.
func (a *acquaintances) meet(source netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.m == nil {
		a.m = make(map[netip.Addr]int)
	}
	a.m[source]++
	a.some.Store(int64(len(a.m)))
}

func (a *acquaintances) part(source netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.m[source]--; a.m[source] <= 0 {
		delete(a.m, source)
	}
	a.some.Store(int64(len(a.m)))
}

func (a *acquaintances) has(source netip.Addr) bool {
	if a.some.Load() == 0 {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.m[source] > 0
}

// expects reports whether msg belongs to what is under way: it answers a request of
// ours, or is within a dialog.
func (s *Server) expects(msg gosip.Message) bool {
	switch m := msg.(type) {
	case *gosip.Response:
		return s.clientTxs.find(m) != nil
	case *gosip.Request:
		return s.within(m)
	}
	return false
}

// within reports whether req is within a dialog that there is.
func (s *Server) within(req *gosip.Request) bool {
	return s.calls.of(req) != nil || s.attempts.of(req) != nil
}
