package toolschema

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// maxFaults is how many faults an error names: the model needs a hint, not a
// report.
const maxFaults = 5

// Mismatch says what is wrong with arguments, one clause a fault, such as
// "city is missing".
type Mismatch struct {
	Faults []string
}

// Error is a sentence for the model.
func (m *Mismatch) Error() string {
	return "the arguments do not fit the tool's parameters: " + strings.Join(m.first(), "; ")
}

// first returns the first faults, and how many more there are.
func (m *Mismatch) first() []string {
	if len(m.Faults) <= maxFaults {
		return m.Faults
	}
	return append(slices.Clone(m.Faults[:maxFaults]), fmt.Sprintf("and %d more", len(m.Faults)-maxFaults))
}

func mismatchOf(err *jsonschema.ValidationError) *Mismatch {
	faults := collect(err, nil)
	slices.Sort(faults) // the validator walks maps
	return &Mismatch{Faults: slices.Compact(faults)}
}

// collect appends the leaves of the validator's tree, alternatives as one.
func collect(err *jsonschema.ValidationError, faults []string) []string {
	switch k := err.ErrorKind.(type) {
	case *kind.AnyOf:
		return append(faults, alternatives(err))
	case *kind.OneOf:
		if len(k.Subschemas) == 0 {
			return append(faults, alternatives(err))
		}
	}
	if len(err.Causes) == 0 {
		return append(faults, clause(err))
	}
	for _, cause := range err.Causes {
		faults = collect(cause, faults)
	}
	return faults
}

func alternatives(err *jsonschema.ValidationError) string {
	var each []string
	for _, cause := range err.Causes {
		branch := collect(cause, nil)
		slices.Sort(branch)
		each = append(each, strings.Join(slices.Compact(branch), " and "))
	}
	slices.Sort(each)
	return strings.Join(slices.Compact(each), ", or else ")
}

// clause says what is wrong with one value.
func clause(err *jsonschema.ValidationError) string {
	path := err.InstanceLocation
	name := nameOf(path)
	switch k := err.ErrorKind.(type) {
	case *kind.Required:
		return missing(path, k.Missing)
	case *kind.DependentRequired:
		return missing(path, k.Missing) + ", as " + nameOf(append(slices.Clone(path), k.Prop)) + " is given"
	case *kind.AdditionalProperties:
		return isOrAre(path, k.Properties) + " not known"
	case *kind.FalseSchema:
		return name + " is not allowed"
	case *kind.Type:
		return fmt.Sprintf("%s must be of type %s, not %s", name, strings.Join(k.Want, " or "), k.Got)
	case *kind.Enum:
		var want []string
		for _, v := range k.Want {
			want = append(want, show(v))
		}
		return fmt.Sprintf("%s must be one of %s, not %s", name, strings.Join(want, ", "), show(k.Got))
	case *kind.Const:
		return fmt.Sprintf("%s must be %s, not %s", name, show(k.Want), show(k.Got))
	case *kind.Format:
		return fmt.Sprintf("%s must have the format %q", name, k.Want)
	case *kind.Pattern:
		return fmt.Sprintf("%s must match the pattern %s, and %s does not", name, k.Want, show(k.Got))
	case *kind.MinLength:
		return fmt.Sprintf("%s must have at least %d characters, not %d", name, k.Want, k.Got)
	case *kind.MaxLength:
		return fmt.Sprintf("%s must have at most %d characters, not %d", name, k.Want, k.Got)
	case *kind.MinItems:
		return fmt.Sprintf("%s must have at least %d items, not %d", name, k.Want, k.Got)
	case *kind.MaxItems:
		return fmt.Sprintf("%s must have at most %d items, not %d", name, k.Want, k.Got)
	case *kind.MinProperties:
		return fmt.Sprintf("%s must have at least %d members, not %d", name, k.Want, k.Got)
	case *kind.MaxProperties:
		return fmt.Sprintf("%s must have at most %d members, not %d", name, k.Want, k.Got)
	case *kind.UniqueItems:
		return fmt.Sprintf("%s must not have equal items", name)
	case *kind.Minimum:
		return fmt.Sprintf("%s must be at least %s, not %s", name, number(k.Want), number(k.Got))
	case *kind.Maximum:
		return fmt.Sprintf("%s must be at most %s, not %s", name, number(k.Want), number(k.Got))
	case *kind.ExclusiveMinimum:
		return fmt.Sprintf("%s must be more than %s, not %s", name, number(k.Want), number(k.Got))
	case *kind.ExclusiveMaximum:
		return fmt.Sprintf("%s must be less than %s, not %s", name, number(k.Want), number(k.Got))
	case *kind.MultipleOf:
		return fmt.Sprintf("%s must be a multiple of %s, not %s", name, number(k.Want), number(k.Got))
	case *kind.Not:
		return name + " has a form that is not allowed"
	case *kind.OneOf:
		return name + " fits more than one of the alternatives"
	default:
		return fmt.Sprintf("%s does not satisfy %q", name, strings.Join(err.ErrorKind.KeywordPath(), "/"))
	}
}

func missing(path, names []string) string { return isOrAre(path, names) + " missing" }

func isOrAre(path, names []string) string {
	var full []string
	for _, n := range names {
		full = append(full, nameOf(append(slices.Clone(path), n)))
	}
	slices.Sort(full)
	if len(full) == 1 {
		return full[0] + " is"
	}
	return strings.Join(full, ", ") + " are"
}

// nameOf writes a path as programs do: stops[1].city.
func nameOf(path []string) string {
	if len(path) == 0 {
		return "the object"
	}
	var b strings.Builder
	for i, p := range path {
		if _, err := strconv.Atoi(p); err == nil && i > 0 {
			b.WriteString("[" + p + "]")
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p)
	}
	return short(b.String())
}

func show(v any) string {
	encoded, err := json.Marshal(v)
	if err != nil {
		return "a value"
	}
	return short(string(encoded))
}

func number(r *big.Rat) string {
	if r.IsInt() {
		return short(r.Num().String())
	}
	v, _ := r.Float64()
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// short cuts what a model or a caller could make arbitrarily long.
func short(s string) string {
	const longest = 60
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}
