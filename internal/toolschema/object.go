package toolschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Object decodes arguments, numbers as json.Number. Nothing counts as {}. Its
// errors are for the model.
func Object(arguments json.RawMessage) (map[string]any, error) {
	if len(arguments) > MaxArguments {
		return nil, fmt.Errorf("the arguments are too long: %d bytes, %d are allowed", len(arguments), MaxArguments)
	}
	if len(bytes.TrimSpace(arguments)) == 0 {
		return map[string]any{}, nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(arguments))
	if err != nil {
		return nil, fmt.Errorf("the arguments are not valid JSON: %w", err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("the arguments must be a JSON object")
	}
	if n, ok := monstrous(object); ok {
		return nil, fmt.Errorf("the arguments contain a number that is out of range: %.40s", n)
	}
	return object, nil
}

// monstrous finds a number whose exponent has more than three digits. Exact
// arithmetic, which a schema's limits need, would take memory without bound for
// it, and no machine's floating point holds it.
func monstrous(value any) (json.Number, bool) {
	switch v := value.(type) {
	case json.Number:
		_, exponent, _ := strings.Cut(strings.ToLower(string(v)), "e")
		return v, len(strings.TrimLeft(exponent, "+-0")) > 3
	case []any:
		for _, item := range v {
			if n, ok := monstrous(item); ok {
				return n, true
			}
		}
	case map[string]any:
		for _, item := range v {
			if n, ok := monstrous(item); ok {
				return n, true
			}
		}
	}
	return "", false
}
