package realtime

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// Provider is where sessions run and what is particular about it, as data. Its
// Profile gives the defaults.
type Provider struct {
	Name       string
	Profile    Profile     // default openai
	Dialect    Dialect     // default the profile's
	BaseURL    string      // wss://…/v1/realtime
	Model      string      // sent as the model query parameter
	APIKey     string      // empty or "none": no credentials
	AuthHeader string      // default the profile's, else Authorization
	AuthScheme string      // default Bearer when the header is Authorization, else none
	Header     http.Header // sent with the handshake as well
	NoTruncate bool        // the server has no conversation.item.truncate
	NoRetrieve bool        // the server has no conversation.item.retrieve
}

// Validate returns every fault of p, joined; each is an [OptionError].
func (p Provider) Validate() error {
	var f faults
	f.oneOf("profile", string(p.Profile),
		string(ProfileOpenAI), string(ProfileAzure), string(ProfileXAI), string(ProfileBeta))
	f.oneOf("dialect", string(p.Dialect), string(GA), string(Beta), string(XAI))
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

// WithDefaults returns p with what its profile says where p says nothing.
func (p Provider) WithDefaults() Provider {
	if p.Profile == "" {
		p.Profile = ProfileOpenAI
	}
	t := profiles[p.Profile]
	if p.Dialect == "" {
		p.Dialect = t.dialect
	}
	if p.AuthHeader == "" {
		p.AuthHeader = t.authHeader
	}
	if p.AuthHeader == "" {
		p.AuthHeader = "Authorization"
	}
	p.NoTruncate = p.NoTruncate || t.noTruncate
	p.NoRetrieve = p.NoRetrieve || t.noRetrieve
	return p
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

// HandshakeHeader returns the headers of the handshake, credentials included; p
// must be complete (see [Provider.WithDefaults]). Other requests to the same
// server may bear them too.
func (p Provider) HandshakeHeader() http.Header {
	h := p.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	maps.Copy(h, p.Dialect.grammar().header)
	if p.APIKey == "" || p.APIKey == "none" {
		return h
	}
	scheme := p.AuthScheme
	if scheme == "" && http.CanonicalHeaderKey(p.AuthHeader) == "Authorization" {
		scheme = "Bearer"
	}
	value := p.APIKey
	if scheme != "" {
		value = scheme + " " + value
	}
	h.Set(p.AuthHeader, value)
	return h
}
