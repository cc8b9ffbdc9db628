package strict

import (
	"fmt"
	"strings"
)

// place is where in the document a value stands: as people write it, and as
// the schema sees it, with * for the keys of maps and [] for the places in
// lists.
type place struct {
	path, schema string
}

func (p place) field(name string) place { return place{join(p.path, name), join(p.schema, name)} }
func (p place) key(name string) place   { return place{join(p.path, name), join(p.schema, "*")} }

func (p place) index(i int) place {
	return place{fmt.Sprintf("%s[%d]", p.path, i), p.schema + "[]"}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// parent returns the path of what holds the value at path.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// mark remembers of a value where its key, or it itself in a list, stands and
// how a scalar was written.
type mark struct {
	line, column int
	source       string
	expanded     bool
}
