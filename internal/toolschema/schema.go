package toolschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// MaxArguments is how many bytes of arguments are looked at: more is refused.
const MaxArguments = 64 << 10

// Schema is the compiled parameters of a tool. The zero value takes every
// object. It is safe for concurrent use.
type Schema struct {
	compiled *jsonschema.Schema
}

// Compile compiles parameters, a JSON Schema of draft 2020-12 unless its $schema
// says otherwise. Without any, or with null, every object will do. References
// lead nowhere but into the schema itself.
func Compile(parameters json.RawMessage) (*Schema, error) {
	trimmed := bytes.TrimSpace(parameters)
	if len(trimmed) == 0 || string(trimmed) == "null" {
		return &Schema{}, nil
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(trimmed))
	if err != nil {
		return nil, fmt.Errorf("toolschema: parameters: not JSON: %w", err)
	}
	object, ok := doc.(map[string]any)
	if !ok {
		return nil, errors.New(`toolschema: parameters: not a JSON Schema: it is an object, such as {"type": "object"}`)
	}
	if t, ok := object["type"]; ok && t != "object" {
		return nil, fmt.Errorf(`toolschema: parameters: of type %v: arguments are always an object, so the type is "object"`, t)
	}
	const location = "callgw:parameters"
	c := jsonschema.NewCompiler()
	c.UseLoader(nowhere{})
	if err := c.AddResource(location, doc); err != nil {
		return nil, fmt.Errorf("toolschema: parameters: %w", oneLine(err))
	}
	compiled, err := c.Compile(location)
	if err != nil {
		return nil, fmt.Errorf("toolschema: parameters: %w", oneLine(err))
	}
	return &Schema{compiled: compiled}, nil
}

// Validate returns nil if arguments fit the schema, else an error whose text is
// for the model: a [Mismatch] when they are an object, but not the right one.
// Models send nothing at all to a tool that takes nothing: that counts as {}.
func (s *Schema) Validate(arguments json.RawMessage) error {
	value, err := Object(arguments)
	if err != nil {
		return err
	}
	if s.compiled == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	switch err := s.compiled.Validate(value); {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return mismatchOf(invalid)
	default:
		return fmt.Errorf("the arguments cannot be checked: %w", err)
	}
}

// nowhere refuses every reference out of the schema.
type nowhere struct{}

func (nowhere) Load(url string) (any, error) {
	return nil, fmt.Errorf("reference to %s: a tool's schema is whole in itself", url)
}

// oneLine makes the compiler's reports, which are trees, fit into a line: of a
// schema that is none, what is wrong at its leaves.
func oneLine(err error) error {
	var invalid *jsonschema.SchemaValidationError
	var report *jsonschema.ValidationError
	if errors.As(err, &invalid) && errors.As(invalid.Err, &report) {
		return errors.New(strings.Join(mismatchOf(report).first(), "; "))
	}
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}
