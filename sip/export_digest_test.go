package sip

import (
	"net/netip"
	"time"

	gosip "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// Answered returns req with its answer to the challenge in res, nil when it has none.
func Answered(req *gosip.Request, res *gosip.Response, login Credentials) *gosip.Request {
	met := answers{login: login}
	return met.again(req, res, req.CSeq().SeqNo+1)
}

// Guard checks answers to challenges.
type Guard struct{ g *guard }

// NewGuard returns one for a realm.
func NewGuard(realm string) Guard { return Guard{newGuard(realm, []string{"SHA-256", "MD5"})} }

// Fits reports whether an Authorization value is right for a user, whatever its nonce.
func (g Guard) Fits(authorization, method, user, password string) bool {
	c, err := digest.ParseCredentials(authorization)
	return err == nil && g.g.fits(c, method, func(u string) (Credentials, bool) {
		return Credentials{user, password}, u == user
	})
}

// Check judges any Authorization value.
func (g Guard) Check(req *gosip.Request, source netip.Addr, now time.Time) int {
	v, _ := g.g.check(req, source, now, func(u string) (Credentials, bool) { return Credentials{u, "secret"}, true })
	return int(v)
}
