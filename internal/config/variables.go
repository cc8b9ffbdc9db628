package config

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/callgw/callgw/dialplan"
)

// Variables are what templates know of a call:
//
//	{{.From}} {{.To}} {{.Trunk}} {{.Leg}} {{.ID}}
//	{{.Header "X-Customer"}} {{.Param "name"}}
//
// Headers are found in any case; what is absent is empty. The values come from
// the caller's side: they are cut to 256 characters in one line, lest they pass
// for instructions.
type Variables struct {
	ID, Leg, Trunk, From, To string

	header map[string][]string
	param  map[string]string
}

// VariablesOf returns the variables of a call.
func VariablesOf(c dialplan.Call) Variables {
	return Variables{
		ID: c.ID, Leg: c.Leg, Trunk: c.Trunk, From: oneLine(c.From), To: oneLine(c.To),
		header: c.Header, param: c.Param,
	}
}

// Header returns the values of a header, joined by commas.
func (v Variables) Header(name string) string {
	for _, key := range slices.Sorted(maps.Keys(v.header)) {
		if strings.EqualFold(key, name) {
			return oneLine(strings.Join(v.header[key], ", "))
		}
	}
	return ""
}

// Param returns a custom parameter.
func (v Variables) Param(name string) string { return oneLine(v.param[name]) }

func oneLine(s string) string {
	const most = 256
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == most {
			break
		}
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			r = ' '
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
