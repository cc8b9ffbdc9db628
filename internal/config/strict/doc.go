// Package strict decodes YAML into Go structs and reports everything that is
// wrong, each fault with its line and column: unknown keys (with the one that
// was probably meant), duplicates, values of a wrong type, values that are none
// of those allowed, environment variables and files that are missing.
//
// Values that come from the environment or from a file, and values of types
// that hide themselves, never appear in a fault.
//
// The parser is goccy/go-yaml's; decoding is done here, because its decoder
// stops at the first fault and quotes the source around it. Struct tags:
//
//	Level string `yaml:"level" oneof:"debug info"` // key; values allowed
//	Inner        `yaml:",inline"`                  // keys of Inner stand here
//	Other int    `yaml:"-"`                        // no key
//
// A value that is absent or null leaves its field as it is, so that defaults
// are what the struct holds before. Elements of maps begin as their SetDefaults
// method, if there is one, leaves them. Lists replace. Types read themselves by
// [encoding.TextUnmarshaler], by a function in [Options], or by a method
// UnmarshalYAML(func(any) error) error that may try several forms.
//
// The package imports nothing of this module, starts no goroutines and does
// not log.
package strict
