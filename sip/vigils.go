package sip

import (
	"context"
	"time"
)

// farewellTime bounds the end of all registrations together.
const farewellTime = 2 * time.Second

// keepVigils starts what watches over registrars, servers and files.
func (s *Server) keepVigils() {
	if s.certificates.stamp != "" {
		s.vigils.Go(s.watchCertificates)
	}
	for _, t := range s.trunks.list {
		if t.Register != nil {
			r := newRegistration(s, t)
			s.registrations = append(s.registrations, r)
			s.vigils.Go(func() { r.run(s.duty, s.life) })
		}
		if t.Keepalive > 0 {
			s.vigils.Go(func() { s.keepAlive(s.life, t) })
		}
	}
}

// farewell waits until the registrars know that we are gone, within bounds.
func (s *Server) farewell() {
	ctx, cancel := context.WithTimeout(s.life, farewellTime)
	defer cancel()
	for _, r := range s.registrations {
		select {
		case <-r.gone:
		case <-ctx.Done():
			return
		}
	}
}

// Unregistered returns the names of the trunks that should be registered now and are
// not, in the order of Config.Trunks.
func (s *Server) Unregistered() []string {
	var names []string
	for _, t := range s.trunks.list {
		if t.Register != nil && !t.registered.Load() {
			names = append(names, t.Name)
		}
	}
	return names
}
