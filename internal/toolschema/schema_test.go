package toolschema_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/callgw/callgw/internal/toolschema"
	"github.com/google/go-cmp/cmp"
)

const weather = `{
	"type": "object",
	"properties": {
		"city":  {"type": "string", "minLength": 2, "maxLength": 10, "pattern": "^[A-Z]"},
		"unit":  {"enum": ["c", "f"]},
		"days":  {"type": "integer", "minimum": 1, "maximum": 7},
		"step":  {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10, "multipleOf": 0.5},
		"stops": {"type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": true,
		          "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}},
		"mode":  {"const": "fast"},
		"when":  {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 5}]},
		"pick":  {"oneOf": [{"type": "integer"}, {"type": "number"}]},
		"map":   {"type": "object", "minProperties": 1, "maxProperties": 1},
		"never": false,
		"place": {"$ref": "#/$defs/place"}
	},
	"required": ["city"],
	"dependentRequired": {"days": ["unit"]},
	"additionalProperties": false,
	"$defs": {"place": {"type": "object", "required": ["lat", "lon"], "not": {"required": ["zip"]}}}
}`

func compile(t testing.TB, parameters string) *toolschema.Schema {
	t.Helper()
	s, err := toolschema.Compile(json.RawMessage(parameters))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestValidate(t *testing.T) {
	s := compile(t, weather)
	const unfit = "the arguments do not fit the tool's parameters: "
	for name, c := range map[string]struct{ arguments, want string }{
		"fit":                  {`{"city":"Bonn","unit":"c","days":3,"step":1.5,"stops":[{"name":"a"}],"when":4,"mode":"fast"}`, ""},
		"nothing":              {``, unfit + `city is missing`},
		"cut off":              {`{"city":"Bo`, "the arguments are not valid JSON: unexpected EOF"},
		"two values":           {`{"city":"Bonn"} {}`, "the arguments are not valid JSON: invalid character after top-level value"},
		"no object":            {`["Bonn"]`, "the arguments must be a JSON object"},
		"null":                 {`null`, "the arguments must be a JSON object"},
		"a wrong type":         {`{"city":7}`, unfit + `city must be of type string, not number`},
		"too short":            {`{"city":"B"}`, unfit + `city must have at least 2 characters, not 1`},
		"too long":             {`{"city":"Bonn am Rhein"}`, unfit + `city must have at most 10 characters, not 13`},
		"a pattern":            {`{"city":"bonn"}`, unfit + `city must match the pattern ^[A-Z], and "bonn" does not`},
		"an unknown choice":    {`{"city":"Bonn","unit":"k"}`, unfit + `unit must be one of "c", "f", not "k"`},
		"too little":           {`{"city":"Bonn","unit":"c","days":0}`, unfit + `days must be at least 1, not 0`},
		"too much":             {`{"city":"Bonn","unit":"c","days":8}`, unfit + `days must be at most 7, not 8`},
		"the lower bound":      {`{"city":"Bonn","step":0}`, unfit + `step must be more than 0, not 0`},
		"the upper bound":      {`{"city":"Bonn","step":10}`, unfit + `step must be less than 10, not 10`},
		"between steps":        {`{"city":"Bonn","step":0.7}`, unfit + `step must be a multiple of 0.5, not 0.7`},
		"an unknown name":      {`{"city":"Bonn","town":"x"}`, unfit + `town is not known`},
		"two unknown names":    {`{"city":"Bonn","b":1,"a":2}`, unfit + `a, b are not known`},
		"a dependency":         {`{"city":"Bonn","days":2}`, unfit + `unit is missing, as days is given`},
		"a constant":           {`{"city":"Bonn","mode":"slow"}`, unfit + `mode must be "fast", not "slow"`},
		"no items":             {`{"city":"Bonn","stops":[]}`, unfit + `stops must have at least 1 items, not 0`},
		"too many items":       {`{"city":"Bonn","stops":[{"name":"a"},{"name":"b"},{"name":"c"}]}`, unfit + `stops must have at most 2 items, not 3`},
		"equal items":          {`{"city":"Bonn","stops":[{"name":"a"},{"name":"a"}]}`, unfit + `stops must not have equal items`},
		"deep inside":          {`{"city":"Bonn","stops":[{"name":"a"},{}]}`, unfit + `stops[1].name is missing`},
		"no alternative":       {`{"city":"Bonn","when":"tomorrow"}`, unfit + `when must be of type integer, not string, or else when must have at most 5 characters, not 8`},
		"too many of them":     {`{"city":"Bonn","pick":1}`, unfit + `pick fits more than one of the alternatives`},
		"no members":           {`{"city":"Bonn","map":{}}`, unfit + `map must have at least 1 members, not 0`},
		"too many members":     {`{"city":"Bonn","map":{"a":1,"b":2}}`, unfit + `map must have at most 1 members, not 2`},
		"never":                {`{"city":"Bonn","never":1}`, unfit + `never is not allowed`},
		"behind a reference":   {`{"city":"Bonn","place":{}}`, unfit + `place.lat, place.lon are missing`},
		"a forbidden form":     {`{"city":"Bonn","place":{"lat":1,"lon":2,"zip":3}}`, unfit + `place has a form that is not allowed`},
		"several faults":       {`{"days":9,"unit":"x"}`, unfit + `city is missing; days must be at most 7, not 9; unit must be one of "c", "f", not "x"`},
		"a monstrous number":   {`{"city":"Bonn","step":1e100000000}`, "the arguments contain a number that is out of range: 1e100000000"},
		"a vanishing one":      {`{"city":"Bonn","stops":[{"name":"a","x":1E-99999}]}`, "the arguments contain a number that is out of range: 1E-99999"},
		"a long name is short": {`{"city":"Bonn","` + strings.Repeat("x", 200) + `":1}`, unfit + strings.Repeat("x", 60) + `… is not known`},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := s.Validate(json.RawMessage(c.arguments)); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestManyFaultsAreCounted(t *testing.T) {
	s := compile(t, `{"additionalProperties":{"type":"string"}}`)
	err := s.Validate(json.RawMessage(`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1}`))
	if err == nil || !strings.HasSuffix(err.Error(), "e must be of type string, not number; and 2 more") {
		t.Errorf("%v", err)
	}
	var m *toolschema.Mismatch
	if !errors.As(err, &m) || len(m.Faults) != 7 {
		t.Errorf("%T names %+v", err, m)
	}
}

func TestArgumentsThatAreTooLong(t *testing.T) {
	long := `{"city":"` + strings.Repeat("x", toolschema.MaxArguments) + `"}`
	if err := compile(t, "").Validate(json.RawMessage(long)); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("%v", err)
	}
}

func TestWithoutParametersEveryObjectWillDo(t *testing.T) {
	for _, parameters := range []string{"", " \n", "null", "{}"} {
		s := compile(t, parameters)
		for arguments, ok := range map[string]bool{"": true, " ": true, "{}": true, `{"a":[1]}`: true, "0": false, "false": false, `""`: false, "{": false} {
			if err := s.Validate(json.RawMessage(arguments)); (err == nil) != ok {
				t.Errorf("parameters %q, arguments %q: %v", parameters, arguments, err)
			}
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for name, c := range map[string]struct{ parameters, want string }{
		"no JSON":              {`{"type":`, "not JSON"},
		"no object":            {`["city"]`, `{"type": "object"}`},
		"another type":         {`{"type":"string"}`, `the type is "object"`},
		"a schema that is not": {`{"type":"object","properties":{"a":{"type":"text"}}}`, "properties"},
		"a file":               {`{"properties":{"a":{"$ref":"file:///etc/hostname"}}}`, "whole in itself"},
		"a URL":                {`{"properties":{"a":{"$ref":"http://127.0.0.1:1/x"}}}`, "whole in itself"},
		"a broken reference":   {`{"properties":{"a":{"$ref":"#/$defs/none"}}}`, "none"},
		"a broken pattern":     {`{"properties":{"a":{"pattern":"("}}}`, "pattern"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := toolschema.Compile(json.RawMessage(c.parameters))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "toolschema: parameters: ") {
				t.Errorf("%v, want it to say %q", err, c.want)
			} else if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %v", err)
			}
		})
	}
}

func TestValidateConcurrently(t *testing.T) {
	s := compile(t, weather)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if err := s.Validate(json.RawMessage(`{"city":"Bonn","stops":[{"name":"a"}],"place":{"lat":1,"lon":2}}`)); err != nil {
					t.Error(err)
				}
				if err := s.Validate(json.RawMessage(`{"city":"Bonn","place":{}}`)); err == nil {
					t.Error("taken")
				}
			}
		})
	}
	wg.Wait()
}

func FuzzValidate(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"city":"Bonn","stops":[{"name":"a"},{}],"when":"tomorrow"}`, `{"step":1e999}`, `{"a\u0000":[{}]}`, `[`} {
		f.Add([]byte(seed))
	}
	s := compile(f, weather)
	f.Fuzz(func(t *testing.T, arguments []byte) {
		err := s.Validate(arguments)
		if err != nil && len(err.Error()) > 4096 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		if _, objErr := toolschema.Object(arguments); objErr != nil && err == nil {
			t.Errorf("valid, but no object: %v", objErr)
		}
	})
}
