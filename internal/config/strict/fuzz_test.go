package strict_test

import (
	"strings"
	"testing"

	"github.com/callgw/callgw/internal/config/strict"
)

// FuzzDecode holds that no document makes the decoder panic, that what is wrong
// has a place in the document, and that a secret is in no fault.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "a: b", "name: x\nlist: [1, 2]", "name: ${SECRET}", "name: $${SECRET}", "name: ${file:nowhere}", "count: ${SECRET}",
		"&a [*a]", "name: &x y\nlist: [*x]", "? [a]\n: b", "name: !!binary AA==", "- a\n- b", "a: {b: {c: [", "\t", "name: 'x", "<<: {name: x}",
	} {
		f.Add(seed)
	}
	env := func(name string) (string, bool) { return "verysecret", name == "SECRET" }
	f.Fuzz(func(t *testing.T, source string) {
		var into struct {
			Name  string            `yaml:"name"`
			Count int               `yaml:"count"`
			List  []string          `yaml:"list"`
			Map   map[string]string `yaml:"map"`
		}
		doc := strict.Parse([]byte(source), strict.Options{Env: env, Dir: t.TempDir()})
		if doc.Faults() == nil {
			doc.Decode(&into)
		}
		for _, fault := range doc.Faults() {
			if fault.Message == "" {
				t.Errorf("%q: a fault without words", source)
			}
			if strings.Contains(fault.String(), "verysecret") && !strings.Contains(source, "verysecret") {
				t.Errorf("%q: a secret in %q", source, fault)
			}
		}
	})
}
