package dialplan

import (
	"fmt"
	"strings"
)

// Fault is one thing wrong with a plan.
type Fault struct {
	Route   int    // its place in the plan, from 0
	Key     string // such as "when.hours", "when.header.X-Customer"; empty: the whole route
	Index   int    // within the list under Key, from 0
	Message string
	Remedy  string
}

// Faults is everything that is wrong with a plan.
type Faults []Fault

// Error returns one line for each fault.
func (f Faults) Error() string {
	var b strings.Builder
	b.WriteString("dialplan:")
	for _, fault := range f {
		fmt.Fprintf(&b, "\nroute %d", fault.Route+1)
		if fault.Key != "" {
			fmt.Fprintf(&b, ": %s", fault.Key)
		}
		fmt.Fprintf(&b, ": %s: %s", fault.Message, fault.Remedy)
	}
	return b.String()
}
