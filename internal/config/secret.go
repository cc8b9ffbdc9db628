package config

import (
	"fmt"
	"io"
)

// Secret is a text that no log, error or dump shows. Whatever prints it gets
// ***, or nothing if it is empty.
type Secret string

const masked = "***"

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// Hidden marks the type for decoding: its values are not shown in faults.
func (s Secret) Hidden() {}

// String returns *** or nothing.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// Format writes what String returns, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String()) // fmt keeps the error
}

// MarshalText returns what String returns: for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}
