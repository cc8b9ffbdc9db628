package config

import (
	"strings"

	"github.com/callgw/callgw/internal/config/strict"
)

// unsupported lists what the configuration's vocabulary has and this version
// cannot do: a key, or a key with one value. It is refused with a sentence
// instead of being ignored. In paths, * stands for any name and [] for any
// place in a list.
var unsupported = map[string]bool{
	"sip.trunks.*.ptime":           true,
	"agents.*.on_failure.transfer": true,
	"dialplan[].webhook":           true,
}

// elsewhere lists keys that are well known, but in another place: the API has
// them in its session.
var elsewhere = map[string]strict.ValueError{
	"agents.*.session.tools":       {Problem: "belongs to the agent", Remedy: "write it as agents.NAME.tools"},
	"agents.*.session.model":       {Problem: "belongs to the provider", Remedy: "write it as providers.NAME.model"},
	"dialplan[].set.session.tools": {Problem: "belongs to the agent", Remedy: "write it as agents.NAME.tools, for an agent of this route's own"},
	"dialplan[].set.session.model": {Problem: "belongs to the provider", Remedy: "write it as providers.NAME.model, for an agent of this route's own"},
}

// refused returns what is wrong with a key, or a key's value, that this version
// cannot honour at path, or nothing.
func refused(path, schema, value string) *strict.ValueError {
	if value != "" {
		schema += "=" + value
	}
	if unsupported[schema] {
		return &strict.ValueError{Problem: "is not supported in this version"}
	}
	misplaced, ok := elsewhere[schema]
	if !ok {
		return nil
	}
	if name, ok := strings.CutPrefix(path, "agents."); ok {
		name = strings.TrimSuffix(strings.TrimSuffix(name, ".session.tools"), ".session.model")
		misplaced.Remedy = strings.Replace(misplaced.Remedy, "agents.NAME", "agents."+name, 1)
	}
	return &misplaced
}
