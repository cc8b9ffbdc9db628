package config

import (
	"errors"
	"net/http"

	"github.com/callgw/callgw/realtime"
)

// openAI is the default provider's base URL.
const openAI = "wss://api.openai.com/v1/realtime"

// builtInProvider is the name of the provider when the file has none.
const builtInProvider = "openai"

// Provider is where sessions run.
type Provider struct {
	Name string `yaml:"-"`
	// Profile is the kind of server: openai, azure, xai, or beta for servers
	// that still speak the older shape. It gives the defaults of dialect,
	// auth_header and truncate. Default openai.
	Profile realtime.Profile `yaml:"profile" oneof:"openai azure xai beta"`
	// Dialect is how it is spoken to, where it is not as the profile says: ga or
	// beta.
	Dialect realtime.Dialect `yaml:"dialect" oneof:"ga beta"`
	// BaseURL of its Realtime endpoint. Default OpenAI's.
	BaseURL URL `yaml:"base_url"`
	// APIKey, or none for a server that wants none. Default for OpenAI:
	// OPENAI_API_KEY of the environment; without that, the embedded server
	// stands in.
	APIKey Secret `yaml:"api_key"`
	// Model is passed on. Default gpt-realtime-2.1.
	Model string `yaml:"model"`
	// AuthHeader carries the key. Default the profile's, else Authorization.
	AuthHeader string `yaml:"auth_header"`
	// AuthScheme stands before the key. Default Bearer in Authorization, else
	// nothing.
	AuthScheme string `yaml:"auth_scheme"`
	// Headers are sent with the handshake as well.
	Headers map[string]Secret `yaml:"headers"`
	// Truncate says that the server knows conversation.item.truncate. Default
	// true.
	Truncate bool `yaml:"truncate"`
}

// SetDefaults sets the defaults.
func (p *Provider) SetDefaults() {
	*p = Provider{BaseURL: openAI, Model: "gpt-realtime-2.1", Truncate: true}
}

func newProvider() *Provider {
	p := &Provider{}
	p.SetDefaults()
	return p
}

// Embedded tells that there is no key: the embedded server stands in.
func (p *Provider) Embedded() bool { return p.APIKey == "" }

// Realtime returns the provider as the client of the Realtime API knows it.
func (p *Provider) Realtime() realtime.Provider {
	var header http.Header
	for name, value := range p.Headers {
		if header == nil {
			header = http.Header{}
		}
		header.Set(name, value.Reveal())
	}
	return realtime.Provider{
		Name: p.Name, Profile: p.Profile, Dialect: p.Dialect, BaseURL: string(p.BaseURL), Model: p.Model, APIKey: p.APIKey.Reveal(),
		AuthHeader: p.AuthHeader, AuthScheme: p.AuthScheme, Header: header, NoTruncate: !p.Truncate,
	}.WithDefaults()
}

func (p *Provider) complete(name string, env func(string) (string, bool)) {
	p.Name = name
	if p.APIKey == "" && p.BaseURL == openAI {
		key, _ := env("OPENAI_API_KEY")
		p.APIKey = Secret(key)
	}
}

func checkProviders(k *checker, providers map[string]*Provider) {
	for _, name := range sortedKeys(providers) {
		p, key := providers[name], "providers."+name
		switch {
		case p.APIKey != "":
		case p.BaseURL == openAI:
			k.warn(key+".api_key", "no key: the embedded Realtime server answers, not a model", "set OPENAI_API_KEY")
		default:
			k.fail(key+".api_key", "missing", "write the key, or none if the server wants none")
		}
		for _, fault := range optionErrors(p.Realtime().Validate()) {
			at := key + "." + fault.Option
			message := fault.Problem
			if k.doc.Expanded(at) {
				message = k.quote(at, "") + " is refused"
			}
			remedy := ""
			if fault.Option == "base_url" {
				remedy = "write wss://, or ws:// for a server without TLS"
			}
			k.fail(at, message, remedy)
		}
		if p.BaseURL.scheme() == "ws" && p.APIKey != "" && p.APIKey != "none" && !isLoopback(p.BaseURL.host()) {
			k.warn(key+".base_url", "the key and all audio travel in the clear", "use wss://")
		}
		warnRetired(k, key+".model", p.Model)
	}
}

// optionErrors takes apart what the Realtime client says of an option.
func optionErrors(err error) []*realtime.OptionError {
	var list []*realtime.OptionError
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			list = append(list, optionErrors(e)...)
		}
		return list
	}
	var option *realtime.OptionError
	if errors.As(err, &option) {
		list = append(list, option)
	}
	return list
}
