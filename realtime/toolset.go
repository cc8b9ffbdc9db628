package realtime

import (
	"errors"
	"slices"
)

// toolset is what a configuration lets the model call.
type toolset struct {
	declared  []Tool
	functions map[string]*function
	servers   map[string]MCPServer // by label
}

// toolset compiles what the model may call. Its error is every fault, joined;
// each is an [OptionError].
func (c Config) toolset() (toolset, error) {
	set := toolset{
		declared:  slices.Clone(c.Properties.Tools),
		functions: map[string]*function{},
		servers:   map[string]MCPServer{},
	}
	var f faults
	for _, fn := range c.Functions {
		compiled, err := fn.compile()
		if err != nil {
			f = append(f, err)
		}
		// A name that is taken shows in the list of tools.
		set.functions[fn.Name] = compiled
		set.declared = append(set.declared, fn.tool())
	}
	for _, m := range c.MCPServers {
		tool, err := m.tool()
		if err = errors.Join(m.validate(), err); err != nil {
			f = append(f, err)
		}
		if _, taken := set.servers[m.Label]; taken {
			f.add("mcp["+m.Label+"].label", "is taken by another server")
		}
		set.servers[m.Label] = m
		set.declared = append(set.declared, tool)
	}
	f.choice(c.Properties.ToolChoice, set, c.Properties.Tools)
	return set, errors.Join(f...)
}

// choice reports a tool_choice that names nothing, where [Properties.Validate]
// must assume that the tools come from elsewhere. What own entries declare in
// the provider's words is not known.
func (f *faults) choice(name string, set toolset, own []Tool) {
	switch name {
	case "", "auto", "none", "required":
		return
	}
	if slices.ContainsFunc(own, func(t Tool) bool { return t.Raw != nil }) ||
		slices.ContainsFunc(set.declared, func(t Tool) bool { return t.Raw == nil && t.Name == name }) {
		return
	}
	if len(set.declared) == 0 || len(set.servers) > 0 {
		f.add("tool_choice", "%q is none of auto, none, required, and no function has this name", name)
	}
}
