package config

import (
	"strings"

	"github.com/callgw/callgw/internal/config/strict"
)

// SIPURI is where to send SIP: sip:host, sips:host, with a port or parameters if need
// be. Empty is none.
type SIPURI string

// UnmarshalText reads the URI.
func (u *SIPURI) UnmarshalText(text []byte) error {
	s := string(text)
	scheme, rest, ok := strings.Cut(s, ":")
	host, _, _ := strings.Cut(rest, ";")
	if s != "" && (!ok || scheme != "sip" && scheme != "sips" || host == "" || strings.ContainsAny(s, " \t<>\"") || strings.HasSuffix(host, "@")) {
		return &strict.ValueError{Problem: "is not a SIP URI", Remedy: "write sip:pbx.example.com, sip:192.0.2.1:5080;transport=tcp or sips:pbx.example.com"}
	}
	switch transport(s) {
	case "", "udp", "tcp", "tls":
	default:
		return &strict.ValueError{Problem: "has a transport that callgw does not speak", Remedy: "write ;transport=udp, ;transport=tcp or ;transport=tls, or leave it out"}
	}
	*u = SIPURI(s)
	return nil
}

// secure tells whether the URI leads over TLS.
func (u SIPURI) secure() bool {
	return strings.HasPrefix(string(u), "sips:") || transport(string(u)) == "tls"
}

// transport is the parameter of that name, in lower case; "" without one.
func transport(uri string) string {
	for _, param := range strings.Split(strings.ToLower(uri), ";")[1:] {
		if value, ok := strings.CutPrefix(param, "transport="); ok {
			value, _, _ = strings.Cut(value, "?")
			return value
		}
	}
	return ""
}
