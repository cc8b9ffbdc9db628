package config

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/callgw/callgw/internal/config/strict"
)

// Load reads the file at path; without a path, see [Default]. ${NAME} is looked
// up with env, relative paths are relative to the file. The error is an *Error
// with every fault; the warnings are about a configuration that works.
func Load(path string, env func(string) (string, bool)) (*Config, []Warning, error) {
	if path == "" {
		return Default(env)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, &Error{Path: path, Faults: []Fault{{
			Message: fmt.Sprintf("cannot be read: %v", err), Remedy: "check the path, or run without a file",
		}}}
	}
	config, warnings, faults := read(source, defaults(), filepath.Dir(path), env)
	if faults != nil {
		return nil, warnings, &Error{Path: path, Faults: faults}
	}
	return config, warnings, nil
}

// read decodes source on top of config, completes it and checks the whole.
func read(source []byte, config *Config, dir string, env func(string) (string, bool)) (*Config, []Warning, []Fault) {
	doc := strict.Parse(source, strict.Options{Env: env, Dir: dir, Parsers: parsers(), Refused: refused})
	if faults := doc.Faults(); faults != nil {
		return nil, nil, faults // no YAML: nothing to check
	}
	doc.Decode(config)
	config.complete(env)
	c := newChecker(doc, dir)
	config.check(c)
	return config, c.sorted(), doc.Faults()
}

// complete fills in what depends on what else is there.
func (c *Config) complete(env func(string) (string, bool)) {
	if len(c.Providers) == 0 {
		c.Providers = map[string]*Provider{builtInProvider: newProvider()}
	}
	for name, p := range c.Providers {
		p.complete(name, env)
	}
	if len(c.Agents) == 0 {
		c.Agents = map[string]*Agent{builtInAgent: newAgent()}
	}
	for name, a := range c.Agents {
		a.complete(name, c.Providers)
	}
	c.Prices = completePrices(c.Prices)
	if len(c.Routes) == 0 && len(c.Agents) == 1 {
		for name := range c.Agents {
			c.Routes = []Route{{Name: "default", Agent: name}}
		}
	}
	if c.SIP.Listen == nil && len(c.SIP.Trunks) > 0 {
		c.SIP.Listen = []Listen{{"udp", "0.0.0.0:5060"}, {"tcp", "0.0.0.0:5060"}}
	}
	c.SIP.complete()
	if t := c.MediaStreams.Twilio; t != nil {
		t.complete(env)
	}
}

func (c *Config) check(k *checker) {
	c.HTTP.check(k)
	c.Admin.check(k, c.HTTP.Listen)
	c.SIP.check(k, c.Calls.Max)
	c.MediaStreams.check(k, &c.HTTP)
	if len(c.SIP.Listen) == 0 && c.MediaStreams == (MediaStreams{}) {
		k.warn("", "nothing can call this gateway", "add sip.trunks or media_streams")
	}
	checkProviders(k, c.Providers)
	checkAgents(k, c.Agents, c.Providers)
	checkPrices(k, c.Prices)
	c.Dialplan = compileRoutes(k, c.Routes, &c.Reloadable, c.SIP.Trunks)
	checkUse(k, &c.Reloadable)
	c.Calls.check(k)
}

// checkUse warns of what is there and never used.
func checkUse(k *checker, r *Reloadable) {
	agents, providers := map[string]bool{}, map[string]bool{}
	for _, route := range r.Routes {
		agents[route.Agent] = true
	}
	for _, name := range sortedKeys(r.Agents) {
		if len(r.Routes) > 0 && !agents[name] && k.doc.Has("agents."+name) {
			k.warn("agents."+name, "no route leads to this agent", "add one to the dialplan, or remove the agent")
		}
		for _, provider := range r.Agents[name].Provider {
			providers[provider] = true
		}
	}
	for _, name := range sortedKeys(r.Providers) {
		if !providers[name] && k.doc.Has("providers."+name) {
			k.warn("providers."+name, "no agent uses this provider", "name it in an agent's provider, or remove it")
		}
	}
}
