package realtimetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A rule checks one JSON value of a client event as strictly as the service
// does. Values are as encoding/json decodes them into an any, with numbers kept
// as json.Number. The path is the value's place in the event, for the error.
type rule func(path string, v any) *Error

// members is an object of exactly these members; names that end in "!" are
// required.
func members(rules map[string]rule) rule {
	known := make(map[string]rule, len(rules))
	var required []string
	for name, r := range rules {
		bare := strings.TrimSuffix(name, "!")
		known[bare] = r
		if bare != name {
			required = append(required, bare)
		}
	}
	slices.Sort(required)
	return func(path string, v any) *Error {
		m, ok := v.(map[string]any)
		if !ok {
			return errType(path, "an object", kindOf(v))
		}
		names := slices.Sorted(maps.Keys(m))
		for _, name := range names {
			if known[name] == nil {
				return errUnknown(join(path, name))
			}
		}
		for _, name := range required {
			if _, ok := m[name]; !ok {
				return errMissing(join(path, name))
			}
		}
		for _, name := range names {
			if err := known[name](join(path, name), m[name]); err != nil {
				return err
			}
		}
		return nil
	}
}

// byMember chooses the rule of an object by the string that its member holds.
func byMember(name string, rules map[string]rule) rule {
	values := slices.Sorted(maps.Keys(rules))
	return func(path string, v any) *Error {
		m, ok := v.(map[string]any)
		if !ok {
			return errType(path, "an object", kindOf(v))
		}
		tag, ok := m[name]
		if !ok {
			return errMissing(join(path, name))
		}
		if err := oneOf(values...)(join(path, name), tag); err != nil {
			return err
		}
		return rules[tag.(string)](path, v)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func listOf(r rule) rule {
	return func(path string, v any) *Error {
		list, ok := v.([]any)
		if !ok {
			return errType(path, "an array", kindOf(v))
		}
		for i, element := range list {
			if err := r(fmt.Sprintf("%s[%d]", path, i), element); err != nil {
				return err
			}
		}
		return nil
	}
}

func orNull(r rule) rule {
	return func(path string, v any) *Error {
		if v == nil {
			return nil
		}
		return r(path, v)
	}
}

// stringOr checks strings with one rule and everything else with another.
func stringOr(s, other rule) rule {
	return func(path string, v any) *Error {
		if _, ok := v.(string); ok {
			return s(path, v)
		}
		return other(path, v)
	}
}

func anything(string, any) *Error { return nil }

func text(path string, v any) *Error {
	if _, ok := v.(string); !ok {
		return errType(path, "a string", kindOf(v))
	}
	return nil
}

func textUpTo(n int) rule {
	return func(path string, v any) *Error {
		s, ok := v.(string)
		if !ok {
			return errType(path, "a string", kindOf(v))
		}
		if len(s) > n {
			return &Error{Code: "string_above_max_length", Param: path, Message: fmt.Sprintf("Invalid '%s': string too long. Expected a string with maximum length %d, but got a string with length %d instead.", path, n, len(s))}
		}
		return nil
	}
}

func boolean(path string, v any) *Error {
	if _, ok := v.(bool); !ok {
		return errType(path, "a boolean", kindOf(v))
	}
	return nil
}

func anyObject(path string, v any) *Error {
	if _, ok := v.(map[string]any); !ok {
		return errType(path, "an object", kindOf(v))
	}
	return nil
}

func oneOf(values ...string) rule {
	return func(path string, v any) *Error {
		s, ok := v.(string)
		if !ok {
			return errType(path, "a string", kindOf(v))
		}
		if slices.Contains(values, s) {
			return nil
		}
		return errValue(path, fmt.Sprintf("Invalid value: '%s'. Supported values are: %s.", s, enumerate(values)))
	}
}

// enumerate writes 'a', 'b', and 'c'.
func enumerate(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "'" + v + "'"
	}
	switch n := len(quoted); n {
	case 1:
		return quoted[0]
	case 2:
		return quoted[0] + " and " + quoted[1]
	default:
		return strings.Join(quoted[:n-1], ", ") + ", and " + quoted[n-1]
	}
}

func integer(lowest, highest int64) rule {
	return func(path string, v any) *Error {
		n, ok := v.(json.Number)
		if !ok {
			return errType(path, "an integer", kindOf(v))
		}
		i, err := n.Int64()
		if err != nil {
			return errType(path, "an integer", "a decimal number")
		}
		return bounds("integer", path, n, i < lowest, i > highest, lowest, highest)
	}
}

func decimal(lowest, highest float64) rule {
	return func(path string, v any) *Error {
		n, ok := v.(json.Number)
		if !ok {
			return errType(path, "a decimal number", kindOf(v))
		}
		f, err := n.Float64()
		if err != nil {
			return errType(path, "a decimal number", "a number out of range")
		}
		return bounds("decimal", path, n, f < lowest, f > highest, lowest, highest)
	}
}

func bounds(kind, path string, n json.Number, below, above bool, lowest, highest any) *Error {
	switch {
	case below:
		return &Error{Code: kind + "_below_min_value", Param: path, Message: fmt.Sprintf("Invalid '%s': %s below minimum value. Expected a value >= %v, but got %s instead.", path, kind, lowest, n)}
	case above:
		return &Error{Code: kind + "_above_max_value", Param: path, Message: fmt.Sprintf("Invalid '%s': %s above maximum value. Expected a value <= %v, but got %s instead.", path, kind, highest, n)}
	}
	return nil
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return "an integer"
		}
		return "a decimal number"
	}
	return "an unsupported type"
}
