package realtime

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Dialect is how a server is spoken to.
type Dialect string

const (
	GA   Dialect = "ga"   // OpenAI's present shape: nested session, session.type
	Beta Dialect = "beta" // the flat shape of its preview, alive in other servers only
)

// Provider is where sessions run and what is particular about it, as data.
type Provider struct {
	Name       string
	Dialect    Dialect     // default GA
	BaseURL    string      // wss://…/v1/realtime
	Model      string      // sent as the model query parameter
	APIKey     string      // empty or "none": no credentials
	AuthHeader string      // default Authorization
	AuthScheme string      // default Bearer when AuthHeader is Authorization, else none
	Header     http.Header // sent with the handshake as well
	NoTruncate bool        // the server has no conversation.item.truncate
}

// Validate returns every fault of p, joined; each is an [OptionError].
func (p Provider) Validate() error {
	var f faults
	f.oneOf("dialect", string(p.Dialect), string(GA), string(Beta))
	switch u, err := url.Parse(p.BaseURL); {
	case p.BaseURL == "":
		f.add("base_url", "is missing")
	case err != nil: // whose text repeats the URL, which may hold a key
		f.add("base_url", "is not a URL")
	case u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss":
		f.add("base_url", "is not of the form wss://host/path")
	}
	if strings.ContainsAny(p.APIKey, "\r\n\x00") {
		f.add("api_key", "contains a line break")
	}
	if strings.ContainsAny(p.AuthHeader, " \r\n:") {
		f.add("auth_header", "%q is not a header's name", p.AuthHeader)
	}
	return errors.Join(f...)
}

func (p Provider) dialect() Dialect {
	if p.Dialect == "" {
		return GA
	}
	return p.Dialect
}

// endpoint returns the URL of a new session.
func (p Provider) endpoint() (*url.URL, error) {
	u, err := url.Parse(p.BaseURL)
	if err != nil {
		return nil, errors.New("realtime: base_url is not a URL")
	}
	if p.Model != "" {
		q := u.Query()
		q.Set("model", p.Model)
		u.RawQuery = q.Encode()
	}
	return u, nil
}

// header returns the headers of the handshake.
func (p Provider) header() http.Header {
	h := p.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	if p.dialect() == Beta {
		// GA servers refuse a session that carries it.
		h.Set("OpenAI-Beta", "realtime=v1")
	}
	if p.APIKey == "" || p.APIKey == "none" {
		return h
	}
	name, scheme := p.AuthHeader, p.AuthScheme
	if name == "" {
		name = "Authorization"
	}
	if scheme == "" && http.CanonicalHeaderKey(name) == "Authorization" {
		scheme = "Bearer"
	}
	value := p.APIKey
	if scheme != "" {
		value = scheme + " " + value
	}
	h.Set(name, value)
	return h
}
