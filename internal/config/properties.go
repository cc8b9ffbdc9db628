package config

import (
	"errors"

	"github.com/callgw/callgw/internal/config/strict"
	"github.com/callgw/callgw/realtime"
)

// Properties reads session properties in the vocabulary of the file, from JSON
// or YAML, as strictly. The environment is not looked at.
func Properties(source []byte) (realtime.Properties, error) {
	var p realtime.Properties
	doc := strict.Parse(source, strict.Options{Parsers: parsers(), Refused: refused})
	doc.Decode(&p)
	if faults := doc.Faults(); faults != nil {
		all := make([]error, len(faults))
		for i, f := range faults {
			all[i] = errors.New(f.String())
		}
		return p, errors.Join(all...)
	}
	return p, nil
}
