package config

import (
	"net/url"
	"strings"

	"github.com/callgw/callgw/internal/config/strict"
)

// URL is an absolute URL without user, query and fragment; empty is none.
type URL string

// UnmarshalText reads a URL.
func (u *URL) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*u = ""
		return nil
	}
	parsed, err := url.Parse(string(text))
	switch {
	case err != nil || parsed.Scheme == "" || parsed.Hostname() == "":
		return &strict.ValueError{Problem: "is not an absolute URL", Remedy: "write it whole, such as https://voice.example.com, or wss://host/path for a provider"}
	case parsed.User != nil:
		return &strict.ValueError{Problem: "holds a user or a password", Remedy: "remove them"}
	case parsed.RawQuery != "" || parsed.Fragment != "":
		return &strict.ValueError{Problem: "has a query or a fragment", Remedy: "end it before ? and #"}
	}
	*u = URL(text)
	return nil
}

// scheme returns the part before the colon in lower case.
func (u URL) scheme() string {
	scheme, _, _ := strings.Cut(string(u), ":")
	return strings.ToLower(scheme)
}

// host returns the host without its port.
func (u URL) host() string {
	parsed, err := url.Parse(string(u))
	if err != nil {
		return ""
	}
	return parsed.Hostname()
}
