package sip

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/sdp"
)

// Trunk is a peer: a carrier or a PBX. Its calls are known by their source, From,
// by their password, Caller, by both, or by coming from where Register registers.
type Trunk struct {
	// Name is the trunk's name in configuration, dialplan and metrics.
	Name string
	// From are the sources whose calls belong to the trunk.
	From []netip.Prefix
	// Caller is what its calls must prove to know, by digest (RFC 7616). Without
	// From they may come from anywhere. The zero value means no challenge.
	Caller Credentials
	// Codecs are what the trunk may speak, best first. None means those of
	// Config.
	Codecs []media.Codec
	// SRTP says whether its audio is encrypted. The zero value is sdp.SRTPOff.
	SRTP sdp.SRTP
	// Server is a URI, such as "sips:carrier.example.com", for numbers dialled over
	// the trunk, and for Keepalive. "" means that of Register, if any.
	Server string
	// Proxy is the URI of an outbound proxy, which requests outside dialogs visit
	// first (RFC 3261 §8.1.2). "" means none.
	Proxy string
	// Login answers the challenges that our requests meet. The zero value means
	// that of Register, if any.
	Login Credentials
	// Register keeps us registered there. nil means not.
	Register *Register
	// Keepalive is how often Server is asked with OPTIONS whether it lives. 0 means
	// never.
	Keepalive time.Duration
	// MaxCalls is how many calls there may be at a time, both ways together. What
	// exceeds it gets 503. 0 means no limit.
	MaxCalls int
	// CallsPerSecond is how many calls may begin per second, both ways together,
	// and at once. What exceeds it gets 503. 0 means no limit.
	CallsPerSecond int
	// Country is the country calling code by which its numbers become E.164, such
	// as "49". "" leaves them as they are. See [E164].
	Country string
	// Transfer is how its callers are handed over to somebody else.
	Transfer TransferMode
	// CallerID is the number that the target of a transfer is called from, for trunks
	// that let nobody call from others. "" means the caller's.
	CallerID string
	// Headers are added to the INVITEs of calls placed over the trunk.
	Headers map[string]string
	// Strip are headers of its INVITEs that Call.Headers leaves out.
	Strip []string
	// CA is a PEM file with the authorities that the certificates of the trunk's
	// servers and callers are verified by. "" means those of Config.TLS.
	CA string
	// ClientCert demands that its calls come over TLS with a certificate that CA
	// vouches for. It needs From and CA.
	ClientCert bool
}

// Register is a binding at a registrar (RFC 3261 §10).
type Register struct {
	// Server is the registrar's URI, such as "sip:pbx.example.com;transport=tcp".
	Server string
	// User is the address of record's user. "" means that of Login.
	User string
	// Login is what the registrar challenges for.
	Login Credentials
	// Expires is the lifetime asked for, at least a minute. 0 means 5 minutes.
	Expires time.Duration
}

const (
	defaultExpires = 5 * time.Minute
	minExpires     = time.Minute
)

// complete fills in what follows from other fields, or says what is wrong.
func (t Trunk) complete(cfg *Config) (Trunk, error) {
	wrong := func(format string, args ...any) (Trunk, error) {
		return t, fmt.Errorf("sip: trunk %s: "+format, append([]any{t.Name}, args...)...)
	}
	if len(t.Codecs) == 0 {
		t.Codecs = cfg.Codecs
	}
	if r := t.Register; r != nil {
		own := *r
		if own.User == "" {
			own.User = own.Login.Username
		}
		if own.Expires == 0 {
			own.Expires = defaultExpires
		}
		own.Expires = max(own.Expires, minExpires)
		t.Register = &own
		if t.Server == "" {
			t.Server = own.Server
		}
		if !t.Login.given() {
			t.Login = own.Login
		}
		if _, err := parseURI(own.Server); err != nil {
			return wrong("register: %w", err)
		}
	}
	for _, uri := range []string{t.Server, t.Proxy} {
		if _, err := parseURI(uri); uri != "" && err != nil {
			return wrong("%w", err)
		}
	}
	switch {
	case t.Keepalive > 0 && t.Server == "":
		return wrong("keep-alives need a server")
	case t.ClientCert && (len(t.From) == 0 || t.CA == ""):
		return wrong("a client certificate needs sources and a CA")
	}
	for name, value := range t.Headers {
		if !isToken(name) || strings.ContainsAny(value, "\r\n") {
			return wrong("header %q cannot be sent", name)
		}
	}
	return t, nil
}

// parseURI reads a sip or sips URI.
func parseURI(text string) (gosip.Uri, error) {
	var uri gosip.Uri
	if err := gosip.ParseUri(text, &uri); err != nil || !writable(text) || uri.Scheme != "sip" && uri.Scheme != "sips" || uri.Host == "" {
		return uri, fmt.Errorf("%q is not a SIP URI: expected sip:host or sips:host", text)
	}
	return uri, nil
}

// writable tells whether text can be written into a message as a part of an address
// or as a whole one: nothing in it ends the address, the line or the header.
func writable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`<>"`, r) })
}

// uri returns whom to calls: a SIP URI as it is, a number or user at the trunk's
// server.
func (t Trunk) uri(to string) (gosip.Uri, error) {
	if strings.HasPrefix(to, "sip:") || strings.HasPrefix(to, "sips:") {
		return parseURI(to)
	}
	user := E164(to, t.Country)
	if t.Server == "" || user == "" || !writable(user) || strings.ContainsAny(user, ":@;?") {
		return gosip.Uri{}, fmt.Errorf("%q is not a SIP URI: expected sip:user@host", to)
	}
	uri, err := parseURI(t.Server)
	uri.User = user
	return uri, err
}

// caller returns who calls over the trunk: an account of a registrar's is known there
// by the registrar's own domain.
func (t Trunk) caller(from string) string {
	if t.Register == nil || from == anonymous || strings.Contains(from, ":") {
		return from
	}
	uri, err := parseURI(t.Register.Server)
	if err != nil {
		return from // NewServer has refused it
	}
	uri = gosip.Uri{Scheme: "sip", User: cmp.Or(from, t.Register.User), Host: uri.Host}
	return uri.String()
}

// loginFor returns what answers challenges to requests for uri: nothing where it is
// in a domain other than the trunk's server, to which a hash of the password would
// be as good as the password.
func (t Trunk) loginFor(uri gosip.Uri) Credentials {
	server, err := parseURI(t.Server)
	if t.Proxy != "" || t.Server == "" || err == nil && within(uri.Host, server.Host) {
		return t.Login
	}
	return Credentials{}
}

// within reports whether two hosts are the same, or one is in the other's domain.
func within(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return a == b || strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a)
}

// next returns the URI that requests outside a dialog to uri are sent to.
func (t Trunk) next(uri gosip.Uri) gosip.Uri {
	if proxy, err := parseURI(t.Proxy); t.Proxy != "" && err == nil {
		return proxy
	}
	return uri
}

// dress gives an INVITE of ours the trunk's headers and the Route that leads by its
// proxy.
func (t Trunk) dress(req *gosip.Request) {
	for name, value := range t.Headers {
		if req.GetHeader(name) == nil {
			req.AppendHeader(header(name, value))
		}
	}
	t.route(req)
}

// route gives req the Route that leads by the trunk's proxy, if there is one.
func (t Trunk) route(req *gosip.Request) {
	if proxy, err := parseURI(t.Proxy); t.Proxy != "" && err == nil {
		if !proxy.UriParams.Has("lr") {
			proxy.UriParams.Add("lr", "") // RFC 3261 §16.12: strict routers are a thing of the past
		}
		req.PrependHeader(&gosip.RouteHeader{Address: proxy})
	}
}
