package sip

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	gosip "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

const (
	// nonceLife is how long a nonce may be answered. A caller that answers later
	// gets another, by which it need not ask its user again (stale).
	nonceLife = time.Minute
	// maxNonces bounds those that are remembered. Only callers that know a
	// password make us remember one.
	maxNonces = 16384
)

// guard challenges callers and checks their answers (RFC 7616).
type guard struct {
	realm      string
	algorithms []string // that may be answered with, best first
	key        [32]byte // of nonces

	mu   sync.Mutex
	used map[string]use // nonces by which somebody was let in
}

// use is how often a nonce was used and until when it may be.
type use struct {
	count int
	until time.Time
}

func newGuard(realm string, algorithms []string) *guard {
	g := &guard{realm: realm, algorithms: algorithms, used: make(map[string]use)}
	_, _ = rand.Read(g.key[:]) // never fails: crypto/rand
	return g
}

// challenge returns the headers of a 401 for a caller at source.
func (g *guard) challenge(source netip.Addr, stale bool, now time.Time) []gosip.Header {
	nonce := g.nonce(source, now.Add(nonceLife), rand.Text())
	var headers []gosip.Header
	for _, a := range g.algorithms {
		c := digest.Challenge{Realm: g.realm, Nonce: nonce, Algorithm: a, QOP: []string{"auth"}, Stale: stale}
		headers = append(headers, header("WWW-Authenticate", c.String()))
	}
	return headers
}

// nonce is the time of its end, what makes it unlike others of that time, and a
// code over both and the source: nothing is kept of challenges that are never
// answered, and nobody else can answer one.
func (g *guard) nonce(source netip.Addr, until time.Time, salt string) string {
	text := strconv.FormatInt(until.UnixMilli(), 36) + "." + salt
	mac := hmac.New(sha256.New, g.key[:])
	mac.Write([]byte(text + "." + source.String()))
	return text + "." + hex.EncodeToString(mac.Sum(nil)[:16])
}

// life returns until when a nonce may be used; ok is false when it was never
// given to source.
func (g *guard) life(nonce string, source netip.Addr) (until time.Time, ok bool) {
	text, salt, _ := strings.Cut(nonce, ".")
	salt, _, _ = strings.Cut(salt, ".")
	ms, err := strconv.ParseInt(text, 36, 64)
	if err != nil {
		return time.Time{}, false
	}
	until = time.UnixMilli(ms)
	return until, subtle.ConstantTimeCompare([]byte(g.nonce(source, until, salt)), []byte(nonce)) == 1
}

// verdict is what an answer to a challenge is worth.
type verdict uint8

const (
	absent verdict = iota // there is none, or not to a challenge of ours
	stale                 // the nonce is too old, or was used before
	wrong                 // no such user, or not that password
	right
)

// check judges the Authorization headers of req. login returns the credentials of
// a user and whether there is one.
func (g *guard) check(req *gosip.Request, source netip.Addr, now time.Time, login func(user string) (Credentials, bool)) (verdict, string) {
	for _, text := range values(req, "Authorization") {
		c, err := digest.ParseCredentials(strings.TrimSpace(text))
		if err != nil || c.Realm != g.realm {
			continue
		}
		until, genuine := g.life(c.Nonce, source)
		switch {
		case !genuine || now.After(until):
			return stale, c.Username
		case !g.fits(c, string(req.Method), login):
			return wrong, c.Username
		case !g.spend(c, until, now):
			return stale, c.Username
		}
		return right, c.Username
	}
	return absent, ""
}

// fits reports whether c is what someone who knows the password would answer. It
// takes as long when there is no such user. The URI is the caller's own word:
// proxies rewrite that of the request line, and an answer is good only once.
func (g *guard) fits(c *digest.Credentials, method string, login func(string) (Credentials, bool)) bool {
	challenge := digest.Challenge{Realm: g.realm, Nonce: c.Nonce, Algorithm: c.Algorithm}
	switch {
	case c.QOP == "auth" && c.Nc > 0 && c.Cnonce != "":
		challenge.QOP = []string{"auth"}
	case c.QOP != "":
		return false // auth-int was not offered
	}
	if c.Userhash || !g.offers(c.Algorithm) {
		return false
	}
	credentials, exists := login(c.Username)
	want, err := digest.Digest(&challenge, digest.Options{
		Method: method, URI: c.URI, Count: c.Nc, Cnonce: c.Cnonce,
		Username: c.Username, Password: credentials.Password,
	})
	if err != nil {
		return false
	}
	same := subtle.ConstantTimeCompare([]byte(want.Response), []byte(strings.ToLower(c.Response))) == 1
	return same && exists
}

func (g *guard) offers(algorithm string) bool {
	algorithm = cmp.Or(algorithm, "MD5") // RFC 7616 §3.4
	return slices.ContainsFunc(g.algorithms, func(a string) bool { return strings.EqualFold(a, algorithm) })
}

// spend notes that c's nonce was used so often, and returns false when it was
// before (RFC 7616 §3.4: a nonce count that does not grow is a replay). Callers
// that do not count, as in RFC 2069, may use a nonce once.
func (g *guard) spend(c *digest.Credentials, until, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	count := max(c.Nc, 1)
	if count <= g.used[c.Nonce].count {
		return false
	}
	if len(g.used) >= maxNonces {
		for nonce, u := range g.used {
			if now.After(u.until) {
				delete(g.used, nonce)
			}
		}
		if len(g.used) >= maxNonces {
			return false // rather ask again than forget who was here
		}
	}
	g.used[c.Nonce] = use{count, until}
	return true
}
