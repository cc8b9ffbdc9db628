package config

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/callgw/callgw/internal/config/strict"
)

// checker collects what is found after decoding.
type checker struct {
	doc      *strict.Document
	dir      string
	broken   []string // keys that could not be decoded
	warnings []Warning
}

func newChecker(doc *strict.Document, dir string) *checker {
	k := &checker{doc: doc, dir: dir}
	for _, f := range doc.Faults() {
		k.broken = append(k.broken, f.Key)
	}
	return k
}

// fail reports a fault, unless it may follow from one that decoding found in
// the same place.
func (k *checker) fail(key, message, remedy string) {
	for _, broken := range k.broken {
		if within(broken, key) || within(key, broken) {
			return
		}
	}
	k.doc.Fail(key, message, remedy)
}

// within tells whether the value at key is that at path or a part of it.
func within(key, path string) bool {
	rest, ok := strings.CutPrefix(key, path)
	return ok && (rest == "" || path == "" || rest[0] == '.' || rest[0] == '[')
}

func (k *checker) warn(key, message, remedy string) {
	k.warnings = append(k.warnings, k.doc.Fault(key, message, remedy))
}

// quote returns value as it may be shown.
func (k *checker) quote(key, value string) string { return k.doc.Quote(key, value) }

// at returns the path of a list's entry, or of the list where one value stands
// for it.
func (k *checker) at(key string, i int) string {
	if entry := fmt.Sprintf("%s[%d]", key, i); k.doc.Has(entry) {
		return entry
	}
	return key
}

// file makes a path absolute in regard to the configuration and demands that
// there be a file. It tells whether there is.
func (k *checker) file(key string, path *string) bool {
	if *path == "" {
		return false
	}
	name := k.quote(key, *path)
	if !filepath.IsAbs(*path) {
		*path = filepath.Join(k.dir, *path)
	}
	stat, err := os.Stat(*path)
	switch {
	case os.IsNotExist(err):
		k.fail(key, name+" does not exist", "check the path; it is relative to the configuration file")
	case err != nil:
		k.fail(key, name+" cannot be read", "check its permissions")
	case !stat.Mode().IsRegular():
		k.fail(key, name+" is not a file", "name a file")
	default:
		return true
	}
	return false
}

// sorted returns the warnings in the order of the document.
func (k *checker) sorted() []Warning {
	slices.SortStableFunc(k.warnings, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return k.warnings
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
