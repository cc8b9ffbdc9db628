package config

import (
	"reflect"

	"github.com/callgw/callgw/dialplan"
)

// Config is the whole configuration, complete and checked.
type Config struct {
	Log          Log          `yaml:"log"`
	HTTP         HTTP         `yaml:"http"`
	Admin        Admin        `yaml:"admin"`
	SIP          SIP          `yaml:"sip"`
	MediaStreams MediaStreams `yaml:"media_streams"`
	Reloadable   `yaml:",inline"`
}

// Reloadable is what may change while the gateway runs, as SIP.Trunks may; calls in
// progress keep what they started with.
type Reloadable struct {
	// Providers by name. None: one called openai with all its defaults.
	Providers map[string]*Provider `yaml:"providers"`
	// Agents by name. None: one called assistant with all its defaults.
	Agents map[string]*Agent `yaml:"agents"`
	// Routes in order. None: one to the only agent.
	Routes []Route `yaml:"dialplan"`
	Calls  Calls   `yaml:"calls"`
	// Prices by model, in US dollars per million tokens, for metrics and
	// limits.cost. Models that are not listed count as free. Default: what
	// OpenAI asked for gpt-realtime-2.1 in autumn 2026.
	Prices map[string]Price `yaml:"prices"`

	// Dialplan is Routes, compiled.
	Dialplan *dialplan.Plan `yaml:"-"`
}

// Agent returns the agent that d names, with what the route sets in it. It
// returns nil for a call that is rejected.
func (r *Reloadable) Agent(d dialplan.Decision) *Agent {
	if d.Route != nil {
		if agent, ok := d.Route.Set.(*Agent); ok {
			return agent
		}
	}
	return r.Agents[d.Agent]
}

// NeedsRestart names the sections, and of sip the keys, in which next differs from c
// and which a running gateway cannot take over.
func (c *Config) NeedsRestart(next *Config) []string {
	var changed []string
	for _, section := range []struct {
		name     string
		old, new any
	}{
		{"log", c.Log, next.Log},
		{"http", c.HTTP, next.HTTP},
		{"admin", c.Admin, next.Admin},
		{"media_streams", c.MediaStreams, next.MediaStreams},
	} {
		if !reflect.DeepEqual(section.old, section.new) {
			changed = append(changed, section.name)
		}
	}
	return append(changed, c.SIP.needsRestart(next.SIP)...)
}

// defaults returns what holds before a file is read.
func defaults() *Config {
	c := &Config{}
	c.Log.SetDefaults()
	c.HTTP.SetDefaults()
	c.Admin.SetDefaults()
	c.SIP.SetDefaults()
	c.Calls.SetDefaults()
	return c
}
