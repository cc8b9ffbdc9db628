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
	*u = SIPURI(s)
	return nil
}

// secure tells whether the URI leads over TLS.
func (u SIPURI) secure() bool {
	return strings.HasPrefix(string(u), "sips:") || strings.Contains(strings.ToLower(string(u)), ";transport=tls")
}
