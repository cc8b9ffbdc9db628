package strict

import (
	"fmt"
	"strings"
)

// Fault is one thing wrong with a document, or suspicious about it.
type Fault struct {
	Line, Column int    // from 1; 0: nowhere in particular
	Key          string // such as sip.trunks.carrier.from[0]; empty: the whole document
	Message      string // what is wrong, with the value found unless it is hidden
	Remedy       string // what to do; may be empty
}

// String returns the fault in one line, without its position.
func (f Fault) String() string {
	s := f.Message
	if f.Key != "" {
		s = f.Key + ": " + s
	}
	if f.Remedy != "" {
		s += "; " + f.Remedy
	}
	return s
}

// ValueError is what the methods and functions that read a single value return:
// Problem continues a sentence that begins with the value.
type ValueError struct {
	Problem string // such as "is not a duration"
	Remedy  string // such as "write 90s, 5m or 1h30m"
}

func (e *ValueError) Error() string { return e.Problem }

// faultList carries faults through a type's own UnmarshalYAML.
type faultList []Fault

func (l faultList) Error() string {
	lines := make([]string, len(l))
	for i, f := range l {
		lines[i] = f.Message
	}
	return strings.Join(lines, ", ")
}

// quote shortens what is long.
func quote(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
