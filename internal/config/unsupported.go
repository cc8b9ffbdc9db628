package config

// unsupported lists what the configuration's vocabulary has and this version
// cannot do: a key, or a key with one value. It is refused with a sentence
// instead of being ignored. In paths, * stands for any name and [] for any
// place in a list.
var unsupported = map[string]bool{
	"sip.trunks.*.ptime":           true,
	"agents.*.session.tools":       true,
	"agents.*.on_failure.transfer": true,
	"dialplan[].webhook":           true,
	"dialplan[].set.session.tools": true,
}

// refused returns a sentence about a key, or a key's value, that this version
// cannot honour, or nothing.
func refused(schema, value string) string {
	if value != "" {
		schema += "=" + value
	}
	if unsupported[schema] {
		return "is not supported in this version"
	}
	return ""
}
