package sip

import (
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// identify returns the trunk that a request belongs to. When ok is false it was
// dealt with: refused, challenged or dropped. That costs no transaction, and a
// forged source no repetitions.
func (s *Server) identify(req *gosip.Request, from link) (t *trunk, ok bool) {
	t = s.trunks.of(req, from.remote.Addr())
	switch {
	case s.within(req):
		return t, true // whoever knows the dialog
	case t == nil:
		return s.newcomer(req, from)
	case t.ClientCert && !from.verified():
		s.refuse(req, from, &fault{status: gosip.StatusForbidden, what: "no client certificate"})
		if req.IsInvite() {
			s.cfg.Rejected(t.Name, media.Rejected)
		}
		return nil, false
	case req.IsInvite() && toTag(req) == "" && t.Caller.given():
		return s.authenticate(req, from, []*trunk{t})
	}
	return t, true
}

// newcomer is about a source that no trunk names.
func (s *Server) newcomer(req *gosip.Request, from link) (*trunk, bool) {
	anywhere := s.trunks.byPassword()
	switch {
	case len(anywhere) > 0 && req.IsInvite():
		return s.authenticate(req, from, anywhere)
	case s.cfg.AcceptUnknown:
		return s.trunks.unknown, true
	}
	s.cfg.Metrics.drop(dropUnknown)
	if req.IsInvite() {
		s.cfg.Rejected("", media.UnknownTrunk)
		s.rare.Warn().Stringer("peer", from.remote).
			Msg("call refused: no trunk lists this address: add it to sip.trunks.NAME.from")
	}
	if !s.cfg.Silent {
		s.refuse(req, from, &fault{status: media.UnknownTrunk.SIPStatus(), what: "source"})
	}
	return nil, false
}

// authenticate demands that an INVITE prove to be of one of the trunks (RFC 3261
// §22.2).
func (s *Server) authenticate(req *gosip.Request, from link, among []*trunk) (*trunk, bool) {
	now, source := time.Now(), from.remote.Addr()
	if len(req.GetHeaders("Authorization")) > 0 && !s.filter.failures.has(source, now) {
		// Who guesses passwords is not even told whether this one is right.
		s.cfg.Metrics.drop(dropAuth)
		return nil, false
	}
	find := func(user string) *trunk {
		for _, t := range among {
			if t.Caller.Username == user {
				return t
			}
		}
		return nil
	}
	found, user := s.guard.check(req, source, now, func(user string) (Credentials, bool) {
		if t := find(user); t != nil {
			return t.Caller, true
		}
		return Credentials{}, false
	})
	switch found {
	case right:
		s.filter.friends.add(source, now)
		return find(user), true
	case wrong:
		s.filter.failures.take(source, now)
		s.rare.Warn().Stringer("peer", from.remote).Msg("caller with a wrong password")
		s.cfg.Rejected(trunkName(among), media.UnknownTrunk)
		// §22.1: 403 keeps clients from trying the same for ever.
		s.refuse(req, from, &fault{status: gosip.StatusForbidden, what: "password"})
		return nil, false
	}
	s.challenge(req, from, found == stale)
	return nil, false
}

// trunkName is that of a single trunk, "" when it could be any of several.
func trunkName(among []*trunk) string {
	if len(among) == 1 {
		return among[0].Name
	}
	return ""
}

func (s *Server) challenge(req *gosip.Request, from link, stale bool) {
	headers := s.guard.challenge(from.remote.Addr(), stale, time.Now())
	if err := replyTo(req, from).write(s.reply(req, gosip.StatusUnauthorized, s.sameTag(req), headers...)); err != nil {
		s.lost(from, err)
	}
}
