package sip

import (
	"context"
	"slices"
	"time"
)

// farewellTime bounds the end of a registration.
const farewellTime = 2 * time.Second

// SetTrunks replaces the trunks by those of list, of which the first that names a
// source gets its calls. Calls in progress go on with the trunk that they began with.
// Those of a trunk that keeps its name go on counting for its MaxCalls. Registrations
// and keep-alives begin, end, and begin anew where their servers or accounts change;
// all others are left alone. An error says what is wrong with list; nothing changes
// then.
func (s *Server) SetTrunks(list []Trunk) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	next, err := s.trunks.next(s, list)
	if err != nil {
		return err
	}
	if err := s.certificates.trust(next); err != nil {
		return err
	}
	was := s.trunks.now.Swap(next)
	s.keep(was, next)
	return nil
}

// keepVigils starts what watches over registrars, servers and files.
func (s *Server) keepVigils() {
	s.vigils.Start(s.watchCertificates)
	s.reloading.Lock()
	defer s.reloading.Unlock()
	s.vigilant = true
	s.keep(&roster{}, s.trunks.now.Load())
}

// keep ends what was done for the trunks that were there and is no more to be done,
// and begins what is new. Before Run there is nothing to end or begin.
func (s *Server) keep(was, now *roster) {
	if !s.vigilant {
		return
	}
	bindings, vigils := make(map[*registration]bool), make(map[*vigil]bool)
	for _, t := range now.list {
		bindings[t.binding], vigils[t.vigil] = true, true
	}
	s.leaving = slices.DeleteFunc(s.leaving, (*registration).ended)
	for _, t := range was.list {
		if b := t.binding; b != nil && !bindings[b] {
			b.stop()
			s.leaving = append(s.leaving, b)
		}
		if t.vigil != nil && !vigils[t.vigil] {
			t.vigil.stop()
		}
		delete(bindings, t.binding)
		delete(vigils, t.vigil)
	}
	for _, t := range now.list {
		if b := t.binding; b != nil && bindings[b] {
			b.after = slices.DeleteFunc(slices.Clone(s.leaving), func(l *registration) bool { return l.aor.String() != b.aor.String() })
			var ctx context.Context
			ctx, b.stop = context.WithCancel(s.duty)
			s.bindings.Start(func() { b.run(ctx, s.life) })
		}
		if v := t.vigil; v != nil && vigils[v] {
			var ctx context.Context
			ctx, v.stop = context.WithCancel(s.life)
			s.vigils.Start(func() { s.keepAlive(ctx, v) })
		}
	}
}

// Unregistered returns the names of the trunks that should be registered now and are
// not, in the order in which they were given.
func (s *Server) Unregistered() []string {
	var names []string
	for _, t := range s.trunks.all() {
		if t.binding != nil && !t.binding.registered.Load() {
			names = append(names, t.Name)
		}
	}
	return names
}
