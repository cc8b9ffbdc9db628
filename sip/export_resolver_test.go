package sip

import (
	"context"
	"fmt"
)

// SetResolver makes the server ask r. Nothing may be asked yet.
func (s *Server) SetResolver(r Resolver) { s.cfg.Resolver = r }

// Targets returns the servers that a URI names, such as "UDP 10.0.1.1:5060 host".
func (s *Server) Targets(ctx context.Context, text string) ([]string, error) {
	uri, err := parseURI(text)
	if err != nil {
		return nil, err
	}
	found, err := s.targets(ctx, uri, link{})
	list := make([]string, len(found))
	for i, t := range found {
		list[i] = fmt.Sprint(t.network, " ", t.addr, " ", t.host)
	}
	return list, err
}
