package config

import (
	"net/netip"

	"github.com/goccy/go-yaml"
)

// environment says which variable stands for which key when there is no file.
var environment = []struct {
	name string
	path []string
}{
	{"CALLGW_LOG_LEVEL", []string{"log", "level"}},
	{"CALLGW_HTTP_LISTEN", []string{"http", "listen"}},
	{"CALLGW_PUBLIC_URL", []string{"http", "public_url"}},
	{"CALLGW_ADMIN_LISTEN", []string{"admin", "listen"}},
	{"CALLGW_ADMIN_TOKEN", []string{"admin", "token"}},
	{"CALLGW_EXTERNAL_IP", []string{"sip", "external_ip"}},
	{"CALLGW_MODEL", []string{"providers", builtInProvider, "model"}},
	{"CALLGW_BASE_URL", []string{"providers", builtInProvider, "base_url"}},
	{"CALLGW_INSTRUCTIONS", []string{"agents", builtInAgent, "session", "instructions"}},
	{"CALLGW_VOICE", []string{"agents", builtInAgent, "session", "voice"}},
}

// Default returns the configuration without a file: the defaults, a trunk for
// callers on this machine, a phone for its browsers unless CALLGW_PUBLIC_URL or
// CALLGW_HTTP_LISTEN lets others reach it, and from the environment OPENAI_API_KEY,
// TWILIO_AUTH_TOKEN (which takes CALLGW_PUBLIC_URL to be of use),
// CALLGW_LOG_LEVEL, CALLGW_HTTP_LISTEN, CALLGW_ADMIN_LISTEN,
// CALLGW_ADMIN_TOKEN, CALLGW_EXTERNAL_IP, CALLGW_MODEL, CALLGW_BASE_URL,
// CALLGW_INSTRUCTIONS and CALLGW_VOICE. What is wrong with one of them is
// reported as if a file said "${NAME}" there.
func Default(env func(string) (string, bool)) (*Config, []Warning, error) {
	tree := map[string]any{}
	for _, v := range environment {
		if value, ok := env(v.name); ok && value != "" {
			plant(tree, v.path, "${"+v.name+"}")
		}
	}
	token, _ := env("TWILIO_AUTH_TOKEN")
	public, _ := env("CALLGW_PUBLIC_URL")
	if token != "" && public != "" {
		plant(tree, []string{"media_streams", "twilio", "auth_token"}, "${TWILIO_AUTH_TOKEN}")
	}
	source, err := yaml.Marshal(tree)
	if err != nil {
		return nil, nil, err
	}

	config := defaults()
	config.SIP.Listen = []Listen{{"udp", "127.0.0.1:5060"}, {"tcp", "127.0.0.1:5060"}}
	config.SIP.Trunks = map[string]*Trunk{"local": {From: []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	}}}
	if public == "" {
		config.offerPhone(env)
	}
	config, warnings, faults := read(source, config, "", env)
	for i := range warnings {
		warnings[i].Line, warnings[i].Column = 0, 0 // of no file
	}
	if token != "" && public == "" {
		warnings = append(warnings, Warning{
			Key: "media_streams.twilio", Message: "TWILIO_AUTH_TOKEN is set, but not CALLGW_PUBLIC_URL: no calls from Twilio",
			Remedy: "set it to the URL under which Twilio reaches this gateway",
		})
	}
	if faults != nil {
		for i := range faults {
			faults[i].Line, faults[i].Column = 0, 0
		}
		return nil, warnings, &Error{Faults: faults}
	}
	return config, warnings, nil
}

// offerPhone lets browsers on this machine call, without a secret, unless
// CALLGW_HTTP_LISTEN is an address that others reach.
func (c *Config) offerPhone(env func(string) (string, bool)) {
	listen := Address("127.0.0.1:8080")
	if chosen, _ := env("CALLGW_HTTP_LISTEN"); chosen != "" {
		listen = Address(chosen)
	}
	if !listen.loopback() {
		return
	}
	c.HTTP.Listen = listen
	c.MediaStreams.Generic = &Generic{Phone: true}
	c.MediaStreams.Generic.SetDefaults()
	c.MediaStreams.Generic.Validate = false
}

// plant puts value at path into a tree of mappings.
func plant(tree map[string]any, path []string, value string) {
	for _, name := range path[:len(path)-1] {
		branch, ok := tree[name].(map[string]any)
		if !ok {
			branch = map[string]any{}
			tree[name] = branch
		}
		tree = branch
	}
	tree[path[len(path)-1]] = value
}
