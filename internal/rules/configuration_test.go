package rules_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/callgw/callgw/internal/config"
)

// TestEveryKeyIsDocumented compares the structs of the configuration with
// docs/configuration.md, both ways.
func TestEveryKeyIsDocumented(t *testing.T) {
	keys := map[string]bool{}
	collect(keys, "", reflect.TypeFor[config.Config]())
	documented := rows(read(t, "docs/configuration.md"))
	for key := range keys {
		if documented[key] == nil {
			t.Errorf("%s is in no table of docs/configuration.md", key)
		}
	}
	dotted := regexp.MustCompile(`^[a-z_]+(\[\]|\.NAME)?\.[a-z]`)
	for key := range documented {
		if dotted.MatchString(key) && !keys[key] && !isGroup(keys, key) {
			t.Errorf("docs/configuration.md has %s, the configuration has not", key)
		}
	}
}

// collect enters the paths of what a type decodes.
func collect(keys map[string]bool, path string, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Map && (t.Elem().Kind() == reflect.Pointer || t.Elem().Kind() == reflect.Struct):
		collect(keys, path+".NAME", t.Elem())
		return
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && decoded(t.Elem()):
		collect(keys, path+"[]", t.Elem())
		return
	case t.Kind() == reflect.Struct && decoded(t):
		if path == "dialplan[].set.session" {
			break // an agent's
		}
		for i := range t.NumField() {
			f := t.Field(i)
			tag, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			switch {
			case tag == "-" || !f.IsExported():
			case options == "inline":
				collect(keys, path, f.Type)
			case path == "":
				collect(keys, tag, f.Type)
			default:
				collect(keys, path+"."+tag, f.Type)
			}
		}
		return
	}
	keys[path] = true
}

// decoded tells whether a struct has keys of its own.
func decoded(t reflect.Type) bool {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("yaml") != "" {
			return true
		}
	}
	return false
}

// isGroup tells whether a documented key stands for those below it.
func isGroup(keys map[string]bool, group string) bool {
	for key := range keys {
		if strings.HasPrefix(key, group+".") {
			return true
		}
	}
	return false
}
