package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// Trunk is a carrier or a PBX. Its calls are known by their source, by a password,
// or by coming from where it registers us.
type Trunk struct {
	// From are the networks or addresses that its calls come from.
	From []netip.Prefix `yaml:"from"`
	// Username and Password are what its calls must prove to know. Without From
	// they may come from anywhere.
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
	// Register keeps us registered at a PBX or carrier.
	Register *Register `yaml:"register"`
	// Server is where numbers dialled over the trunk go. Default: that of Register.
	Server SIPURI `yaml:"server"`
	// Proxy is an outbound proxy that comes before Server. Default: none.
	Proxy SIPURI `yaml:"proxy"`
	// Login is what the server challenges us for. Default: that of Register.
	Login Login `yaml:"login"`
	// Keepalive is how often the server is asked whether it lives. Default: never.
	Keepalive time.Duration `yaml:"keepalive"`
	// Codecs are what is spoken with it, best first. Default pcmu, pcma.
	Codecs []media.Codec `yaml:"codecs"`
	// SRTP says whether its audio is encrypted. Default off.
	SRTP string   `yaml:"srtp" oneof:"off optional required"`
	TLS  TrunkTLS `yaml:"tls"`
	// MaxCalls is how many there may be at a time, CallsPerSecond how many may
	// begin; both ways together. 0: no limit.
	MaxCalls       int `yaml:"max_calls"`
	CallsPerSecond int `yaml:"calls_per_second"`
	// Country is the calling code by which its numbers become E.164.
	Country string `yaml:"country"`
	// Transfer is how its callers are handed over: refer asks it to call the target,
	// bridge has us call it, either does so where it refuses, attended calls it first and
	// asks to join the two. Default refer.
	Transfer string `yaml:"transfer" oneof:"refer bridge either attended"`
	// CallerID is the number that targets of transfers are called from. Default: the
	// caller's.
	CallerID string `yaml:"caller_id"`
	// Headers are added to calls out.
	Headers map[string]string `yaml:"headers"`
	// Strip are headers of calls in that dialplan and agents are not to see.
	Strip []string `yaml:"strip"`
}

// Register is a binding at a registrar.
type Register struct {
	// Server is the registrar. Required.
	Server SIPURI `yaml:"server"`
	// Username and Password are the account. The name is required.
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
	// User is the account's number or name in addresses. Default: Username.
	User string `yaml:"user"`
	// Expires is the lifetime asked for. Default 5m.
	Expires time.Duration `yaml:"expires"`
	// Required makes the gateway unready as long as it is not registered.
	Required bool `yaml:"required"`
}

// SetDefaults sets the defaults.
func (r *Register) SetDefaults() { r.Expires = 5 * time.Minute }

// Login is a name and its password.
type Login struct {
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
}

// TrunkTLS is how the trunk's certificates are verified.
type TrunkTLS struct {
	// CA is a PEM file. Default: sip.tls.ca.
	CA string `yaml:"ca"`
	// ClientCert demands that its calls show a certificate of CA.
	ClientCert bool `yaml:"client_cert"`
}

// callerID is a number or an account's name.
var callerID = regexp.MustCompile(`^\+?[0-9A-Za-z._-]+$`)

// SetDefaults sets the defaults.
func (t *Trunk) SetDefaults() { t.SRTP, t.Transfer = "off", "refer" }

func (t *Trunk) complete() {
	if t.Codecs == nil {
		t.Codecs = []media.Codec{media.PCMU, media.PCMA}
	}
	if t.SRTP == "" {
		t.SRTP = "off"
	}
	if t.Transfer == "" {
		t.Transfer = "refer"
	}
	if r := t.Register; r != nil && r.User == "" {
		r.User = r.Username
	}
}

// secure tells whether the trunk is reached over TLS.
func (t *Trunk) secure() bool {
	if t.Server == "" && t.Register != nil {
		return t.Register.Server.secure()
	}
	return t.Server.secure()
}

func (t *Trunk) check(k *checker, key, name string, seen *claims, tls bool) {
	if len(t.From) == 0 && t.Register == nil && t.Username == "" && t.Server == "" {
		k.fail(key+".from", "missing: nothing tells this trunk's calls", "list the networks they come from, such as [203.0.113.0/24], or set username, register or server")
	}
	t.checkFrom(k, key, name, seen)
	t.checkPasswords(k, key, name, seen)
	if t.Codecs != nil && len(t.Codecs) == 0 {
		k.fail(key+".codecs", "an empty list", "name pcmu or pcma, or remove the key")
	}
	if t.SRTP != "off" && !tls && !t.secure() {
		k.warn(key+".srtp", "the keys travel readable: its signalling is not encrypted", "listen on tls:// too and let the trunk call there, or use a sips: server")
	}
	k.file(key+".tls.ca", &t.TLS.CA)
	switch {
	case !t.TLS.ClientCert:
	case t.TLS.CA == "":
		k.fail(key+".tls.client_cert", "nothing to verify it by", "name the authority's file in tls.ca")
	case len(t.From) == 0:
		k.fail(key+".tls.client_cert", "nothing tells whom to ask for it", "list the networks that its calls come from in from")
	case !tls:
		k.fail(key+".tls.client_cert", "sip.listen has no tls://", "add tls://0.0.0.0:5061 to it")
	}
	t.checkLimits(k, key)
	t.checkHeaders(k, key)
}

func (t *Trunk) checkFrom(k *checker, key, name string, seen *claims) {
	for i, prefix := range t.From {
		at := k.at(key+".from", i)
		if other, taken := seen.networks[prefix]; taken {
			k.fail(at, k.quote(at, prefix.String())+" belongs to trunk "+other+" too", "leave it to one of them")
		}
		seen.networks[prefix] = name
		if prefix.Bits() == 0 && t.Username == "" {
			k.warn(at, "takes calls from everyone", "list your carrier's networks")
		}
	}
}

func (t *Trunk) checkPasswords(k *checker, key, name string, seen *claims) {
	pair := func(key, username string, password Secret) {
		switch {
		case username != "" && password == "":
			k.fail(key+".password", "missing", "set it, or remove the username")
		case username == "" && password != "":
			k.fail(key+".username", "missing", "set it, or remove the password")
		}
	}
	pair(key, t.Username, t.Password)
	pair(key+".login", t.Login.Username, t.Login.Password)
	if t.Username != "" {
		if other, taken := seen.users[t.Username]; taken {
			k.fail(key+".username", k.quote(key+".username", t.Username)+" is trunk "+other+"'s too", "give each its own")
		}
		seen.users[t.Username] = name
	}
	if r := t.Register; r != nil {
		at := key + ".register"
		if r.Server == "" {
			k.fail(at+".server", "missing", "write the registrar, such as sip:pbx.example.com")
		}
		if r.Username == "" {
			k.fail(at+".username", "missing", "write the account's name")
		}
		if r.Expires < time.Minute {
			k.fail(at+".expires", "below a minute", "write 60s or more")
		}
	}
}

func (t *Trunk) checkLimits(k *checker, key string) {
	if t.Keepalive > 0 && t.Server == "" && t.Register == nil {
		k.fail(key+".keepalive", "there is nobody to ask", "set server")
	}
	if t.Keepalive > 0 && t.Keepalive < 5*time.Second {
		k.fail(key+".keepalive", "too often", "write 5s or more, such as 30s")
	}
	for _, limit := range []struct {
		name string
		n    int
	}{{"max_calls", t.MaxCalls}, {"calls_per_second", t.CallsPerSecond}} {
		if limit.n < 0 {
			k.fail(key+"."+limit.name, fmt.Sprint(limit.n, " is negative"), "write how many, or 0 for no limit")
		}
	}
	code := strings.Trim(t.Country, "0123456789")
	if t.Country != "" && (code != "" || len(t.Country) > 3 || t.Country[0] == '0') {
		k.fail(key+".country", k.quote(key+".country", t.Country)+" is not a country calling code", `write it without +, such as "49"`)
	}
	if t.CallerID != "" && !callerID.MatchString(t.CallerID) {
		k.fail(key+".caller_id", k.quote(key+".caller_id", t.CallerID)+" is not a number", `write one of the trunk's own, such as "+14155550100"`)
	}
}

// ownHeaders are those that a call cannot do without and that callgw writes.
var ownHeaders = []string{
	"via", "from", "to", "call-id", "cseq", "contact", "max-forwards", "route", "record-route",
	"content-length", "content-type", "authorization", "proxy-authorization", "allow", "supported", "require",
}

func (t *Trunk) checkHeaders(k *checker, key string) {
	for _, name := range sortedKeys(t.Headers) {
		switch at, fault := key+".headers."+name, HeaderFault(name, t.Headers[name]); fault {
		case "":
		case faultOwnHeader:
			k.fail(at, fault, "remove it")
		default:
			k.fail(at, fault, "write a name and a value of one line")
		}
	}
	for i, name := range t.Strip {
		if !isHeaderName(name) {
			at := k.at(key+".strip", i)
			k.fail(at, k.quote(at, name)+" is not the name of a header", "write a name such as P-Asserted-Identity")
		}
	}
}

const faultOwnHeader = "callgw writes this header itself"

// HeaderFault says why a header cannot be added to calls out, "" if it can.
func HeaderFault(name, value string) string {
	switch {
	case !isHeaderName(name) || strings.ContainsAny(value, "\r\n"):
		return "cannot be sent in a header"
	case slices.Contains(ownHeaders, strings.ToLower(name)):
		return faultOwnHeader
	}
	return ""
}

// isHeaderName tells whether name is a token (RFC 3261 §25.1).
func isHeaderName(name string) bool {
	rest := strings.TrimFunc(name, func(r rune) bool {
		return r|0x20 >= 'a' && r|0x20 <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-.!%*_+`'~", r)
	})
	return name != "" && rest == ""
}
