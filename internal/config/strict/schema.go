package strict

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// field is one key that a struct knows.
type field struct {
	name  string
	index []int
	oneOf []string // values allowed; none: any
	typ   reflect.Type
}

type fieldList []field

// fieldsOf returns the keys of a struct in the order of its fields.
func fieldsOf(t reflect.Type) fieldList {
	var list fieldList
	for _, f := range reflect.VisibleFields(t) {
		tag, tagged := f.Tag.Lookup("yaml")
		name, option, _ := strings.Cut(tag, ",")
		if !tagged || name == "-" || option == "inline" || !f.IsExported() {
			continue
		}
		list = append(list, field{name, f.Index, strings.Fields(f.Tag.Get("oneof")), f.Type})
	}
	return list
}

func (l fieldList) find(name string) (field, bool) {
	i := slices.IndexFunc(l, func(f field) bool { return f.name == name })
	if i < 0 {
		return field{}, false
	}
	return l[i], true
}

func (l fieldList) names() []string {
	names := make([]string, len(l))
	for i, f := range l {
		names[i] = f.name
	}
	return names
}

// remedy returns what to write instead of node, which is no mapping: the key that
// takes this very word, or what keys there are.
func (l fieldList) remedy(node ast.Node) string {
	if word, ok := scalar(node); ok {
		for _, f := range l {
			if slices.Contains(f.oneOf, word) {
				return fmt.Sprintf("did you mean {%s: %s}?", f.name, word)
			}
		}
	}
	return "known here: " + strings.Join(l.names(), ", ")
}

// guess returns the key that was probably meant by an unknown one: a similar
// one, or the same one level below.
func (l fieldList) guess(unknown string) string {
	for _, f := range l {
		t := f.typ
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			continue
		}
		if _, ok := fieldsOf(t).find(unknown); ok {
			return f.name + "." + unknown
		}
	}
	return closest(unknown, l.names())
}
