package sip

// SetResolver makes the server ask r. Nothing may be asked yet.
func (s *Server) SetResolver(r Resolver) { s.cfg.Resolver = r }
