package realtime

import (
	"encoding/json"
	"math"
	"slices"
)

// differs returns the paths of the members that raw, a session as the server
// describes it, has otherwise than p asks, sorted. What the server does not
// mention is not a difference; what it adds is not either.
func (p Properties) differs(d Dialect, raw json.RawMessage) []string {
	asked, err := json.Marshal(p.session(d))
	if err != nil {
		return nil
	}
	var want, have any
	if json.Unmarshal(asked, &want) != nil || json.Unmarshal(raw, &have) != nil {
		return nil
	}
	paths := compare(nil, "", want, have)
	slices.Sort(paths)
	return slices.Compact(paths)
}

// compare appends to paths where have is not want.
func compare(paths []string, path string, want, have any) []string {
	same := false
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		for name, value := range w {
			if got, known := h[name]; known {
				inner := name
				if path != "" {
					inner = path + "." + name
				}
				paths = compare(paths, inner, value, got)
			}
		}
		same = ok
	case []any:
		h, ok := have.([]any)
		if same = ok && len(h) == len(w); same {
			for i := range w {
				paths = compare(paths, path, w[i], h[i])
			}
		}
	case float64:
		// Some servers store single precision.
		h, ok := have.(float64)
		same = ok && math.Abs(h-w) < 1e-5
	default:
		same = want == have
	}
	if !same {
		paths = append(paths, path)
	}
	return paths
}
