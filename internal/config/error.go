package config

import (
	"fmt"
	"strings"

	"github.com/callgw/callgw/internal/config/strict"
)

// Fault is one thing wrong with a configuration.
type Fault = strict.Fault

// Warning is one thing suspicious about a configuration that works.
type Warning = strict.Fault

// Error is everything wrong with a configuration.
type Error struct {
	Path   string // of the file, empty without one
	Faults []Fault
}

// Error returns a line for each fault: file:line:column: key: what; remedy.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = Line(e.Path, f)
	}
	return strings.Join(lines, "\n")
}

// Line returns a fault or a warning in one line, with the path of the file,
// empty without one.
func Line(path string, f Fault) string {
	if path == "" {
		path = "environment"
	}
	if f.Line > 0 {
		path += fmt.Sprintf(":%d:%d", f.Line, f.Column)
	}
	return path + ": " + f.String()
}
