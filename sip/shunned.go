package sip

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// shunTime is how long a server that did not answer is tried last.
const shunTime = time.Minute

// shunned are the servers that did not answer lately, so that not every call has
// to find out anew.
type shunned struct {
	mu    sync.Mutex
	until map[netip.AddrPort]time.Time
}

func (s *shunned) add(addr netip.AddrPort, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for a, t := range s.until {
		if now.After(t) {
			delete(s.until, a)
		}
	}
	if s.until == nil {
		s.until = make(map[netip.AddrPort]time.Time)
	}
	s.until[addr] = now.Add(shunTime)
}

// last moves those of targets that are shunned to the end.
func (s *shunned) last(targets []target, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bad := func(t target) int {
		if until, ok := s.until[t.addr]; ok && now.Before(until) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(targets, func(a, b target) int { return bad(a) - bad(b) })
}
