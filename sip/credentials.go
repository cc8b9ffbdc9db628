package sip

import (
	"fmt"
	"io"
	"strings"

	gosip "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// Credentials are a user's name and password. They never print.
type Credentials struct{ Username, Password string }

// Format hides the credentials from every verb.
func (Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[hidden]") }

func (c Credentials) given() bool { return c.Username != "" }

// mostChallenges bounds the rounds of one request: a proxy's, the server's, and
// one more of each whose nonce has become stale.
const mostChallenges = 4

// answers are the challenges that one request of ours has met (RFC 3261 §22).
type answers struct {
	login  Credentials
	realms map[string]bool // those that were answered
	rounds int
}

// again returns req anew with the credentials that res, a 401 or 407, asks for,
// and without Via; or nil when there is nothing to be answered: no credentials,
// no challenge that is understood, the same one again, which means that the
// password is wrong, or one too many.
func (a *answers) again(req *gosip.Request, res *gosip.Response, seq uint32) *gosip.Request {
	var challenge, answer string
	switch res.StatusCode {
	case gosip.StatusUnauthorized:
		challenge, answer = "WWW-Authenticate", "Authorization"
	case gosip.StatusProxyAuthRequired:
		challenge, answer = "Proxy-Authenticate", "Proxy-Authorization"
	default:
		return nil
	}
	if !a.login.given() || a.rounds == mostChallenges {
		return nil
	}
	var fresh []gosip.Header
	done := make(map[string]bool) // one answer for each realm: its first that is understood (RFC 8760 §2.4)
	for _, text := range values(res, challenge) {
		c, ok := parseChallenge(text)
		if !ok || done[c.Realm] || a.realms[challenge+c.Realm] && !c.Stale {
			continue
		}
		done[c.Realm] = true
		credentials, err := digest.Digest(c, digest.Options{
			Method: string(req.Method), URI: req.Recipient.String(), Count: 1,
			Username: a.login.Username, Password: a.login.Password,
		})
		if err != nil {
			continue
		}
		fresh = append(fresh, header(answer, credentials.String()))
	}
	if len(fresh) == 0 {
		return nil
	}
	a.rounds++
	if a.realms == nil {
		a.realms = make(map[string]bool)
	}
	for realm := range done {
		a.realms[challenge+realm] = true
	}
	next := req.Clone()
	next.RemoveHeader("Via")
	for next.RemoveHeader(answer) {
	}
	for _, h := range fresh {
		next.AppendHeader(h)
	}
	next.ReplaceHeader(&gosip.CSeqHeader{SeqNo: seq, MethodName: req.Method}) // §22.2
	return next
}

// parseChallenge reads a challenge that can be answered: MD5 or one of the SHA-2
// algorithms of RFC 8760, with qop=auth or the form of RFC 2069. auth-int alone
// cannot: proxies change bodies.
func parseChallenge(text string) (*digest.Challenge, bool) {
	c, err := digest.ParseChallenge(strings.TrimSpace(text))
	if err != nil || c.Nonce == "" {
		return nil, false
	}
	qop := c.QOP[:0]
	for _, q := range c.QOP {
		if q = strings.TrimSpace(q); strings.EqualFold(q, "auth") {
			qop = append(qop, "auth")
		}
	}
	if len(c.QOP) > 0 && len(qop) == 0 {
		return nil, false
	}
	c.QOP = qop
	return c, digest.CanDigest(c)
}
