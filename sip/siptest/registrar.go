package siptest

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"hash"
	"regexp"
	"strconv"
	"strings"
)

// Registrar is how a peer answers REGISTER. Its zero value grants what is asked for.
type Registrar struct {
	Realm, User, Password string // no Password: no challenge
	Algorithm             string // MD5 or SHA-256; "": none is named, which is MD5
	QOP                   string // of the challenge; "": none
	Proxy                 bool   // 407 instead of 401
	Stale                 bool   // refuses the first answer, right or not, as stale
	Granted               int    // seconds at most; 0: what is asked for
	Least                 int    // seconds; less gets 423
	Refuse                int    // a status that everything gets
	More                  []string
	Others                []string // Contact values of other phones of the account

	nonces   int
	contacts []string
}

var parameter = regexp.MustCompile(`(\w+)=(?:"([^"]*)"|([^",\s]+))`)

// Take answers one REGISTER from p, or challenges any request, and returns the status.
func (r *Registrar) Take(p *Peer, m Message) int {
	p.t.Helper()
	status, more := r.judge(m)
	p.Reply(m, status, "Status", more...)
	return status
}

// Right reports whether a request answers the latest challenge as it should.
func (r *Registrar) Right(m Message) bool { return r.proved(m) }

// Contacts returns the bindings that were made.
func (r *Registrar) Contacts() []string { return r.contacts }

func (r *Registrar) judge(m Message) (status int, more []string) {
	if r.Refuse != 0 {
		return r.Refuse, r.More
	}
	if r.Password != "" && !r.proved(m) {
		return r.challenge(false)
	}
	if r.Stale {
		r.Stale = false
		return r.challenge(true)
	}
	asked := 3600
	if h := m.GetHeaders("Expires"); len(h) > 0 {
		asked, _ = strconv.Atoi(h[0].Value()) // the test sees what comes of it
	}
	if asked > 0 && asked < r.Least {
		return 423, []string{"Min-Expires: " + strconv.Itoa(r.Least)}
	}
	if r.Granted > 0 {
		asked = min(asked, r.Granted)
	}
	for _, other := range r.Others {
		more = append(more, "Contact: "+other)
	}
	r.contacts = nil
	for _, h := range m.GetHeaders("Contact") {
		if asked > 0 {
			r.contacts = append(r.contacts, h.Value())
			more = append(more, fmt.Sprintf("Contact: %s;expires=%d", h.Value(), asked))
		}
	}
	return 200, more
}

func (r *Registrar) names() (status int, challenge, answer string) {
	if r.Proxy {
		return 407, "Proxy-Authenticate", "Proxy-Authorization"
	}
	return 401, "WWW-Authenticate", "Authorization"
}

func (r *Registrar) challenge(stale bool) (int, []string) {
	r.nonces++
	status, name, _ := r.names()
	h := fmt.Sprintf(`%s: Digest realm="%s", nonce="nonce%d", opaque="o"`, name, r.Realm, r.nonces)
	if r.Algorithm != "" {
		h += ", algorithm=" + r.Algorithm
	}
	if r.QOP != "" {
		h += fmt.Sprintf(`, qop="%s"`, r.QOP)
	}
	if stale {
		h += ", stale=true"
	}
	return status, []string{h}
}

// proved computes what RFC 7616 §3.4.1 says.
func (r *Registrar) proved(m Message) bool {
	_, _, name := r.names()
	headers := m.GetHeaders(name)
	if len(headers) != 1 {
		return false
	}
	c := make(map[string]string)
	for _, match := range parameter.FindAllStringSubmatch(headers[0].Value(), -1) {
		c[match[1]] = match[2] + match[3]
	}
	h := func(parts ...string) string {
		var sum hash.Hash = md5.New()
		if r.Algorithm == "SHA-256" {
			sum = sha256.New()
		}
		sum.Write([]byte(strings.Join(parts, ":")))
		return fmt.Sprintf("%x", sum.Sum(nil))
	}
	a1, a2 := h(r.User, r.Realm, r.Password), h(string(m.Request().Method), c["uri"])
	want := h(a1, c["nonce"], a2)
	if r.QOP != "" {
		want = h(a1, c["nonce"], c["nc"], c["cnonce"], "auth", a2)
	}
	return c["response"] == want && c["username"] == r.User && c["realm"] == r.Realm && c["opaque"] == "o" &&
		c["uri"] == m.Request().Recipient.String() && c["nonce"] == fmt.Sprintf("nonce%d", r.nonces)
}
