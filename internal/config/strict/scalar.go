package strict

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// hidden is implemented by types whose values are never shown.
type hidden interface{ Hidden() }

// text returns the text of a scalar that is to be read into v, with what it
// takes from the environment and from files. It reports what is no scalar.
func (d *Document) text(node ast.Node, v reflect.Value, at place) (string, bool) {
	source, ok := scalar(node)
	if !ok {
		d.mismatch(node, at, wanted(v))
		return "", false
	}
	value, expanded, err := d.opts.expand(source)
	if err != nil {
		d.add(node, at.path, err.Problem, err.Remedy)
		return "", false
	}
	m := d.marks[at.path]
	m.source, m.expanded = source, expanded
	d.marks[at.path] = m
	return value, true
}

// wanted says in a word or two what v takes.
func wanted(v reflect.Value) string {
	if !v.IsValid() {
		return "text"
	}
	switch v.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Float64:
		if v.Type().PkgPath() == "" {
			return "a number"
		}
	}
	return "text"
}

// decodeScalar reads a string, a bool or a number.
func (d *Document) decodeScalar(node ast.Node, v reflect.Value, at place) {
	text, ok := d.text(node, v, at)
	if !ok {
		return
	}
	var err error
	switch v.Kind() {
	case reflect.String:
		if _, isBool := node.(*ast.BoolNode); isBool {
			d.add(node, at.path, text+" where text is wanted", "put it in quotes if it is meant")
			return
		}
		v.SetString(text)
	case reflect.Bool:
		switch text {
		case "true":
			v.SetBool(true)
		case "false":
			v.SetBool(false)
		default:
			err = &ValueError{"is neither true nor false", truthRemedy(text)}
		}
	case reflect.Int, reflect.Int64:
		var n int64
		if n, err = strconv.ParseInt(text, 10, v.Type().Bits()); err == nil {
			v.SetInt(n)
		} else {
			err = numberError(err, "is not a whole number", "write digits alone, such as 30")
		}
	case reflect.Float64:
		var f float64
		if f, err = strconv.ParseFloat(text, 64); err == nil {
			v.SetFloat(f)
		} else {
			err = numberError(err, "is not a number", "write digits alone, such as 0.5")
		}
	default:
		panic(fmt.Sprintf("strict: %s: no values of type %s can be read", at.path, v.Type()))
	}
	if err != nil {
		d.refuse(node, v, at, err)
	}
}

func numberError(err error, problem, remedy string) error {
	if errors.Is(err, strconv.ErrRange) {
		return &ValueError{"is out of range", "write a smaller one"}
	}
	return &ValueError{problem, remedy}
}

// truthRemedy returns what to write for the words that other dialects of YAML
// take for true and false.
func truthRemedy(word string) string {
	switch strings.ToLower(word) {
	case "yes", "on", "y", "true", "1":
		return "write true"
	case "no", "off", "n", "false", "0":
		return "write false"
	}
	return "write true or false"
}

// refuse reports a scalar that its type does not take.
func (d *Document) refuse(node ast.Node, v reflect.Value, at place, err error) {
	shown := quote(d.marks[at.path].source) // not what it stands for
	if _, hide := v.Addr().Interface().(hidden); hide {
		shown = "the value"
	}
	problem, remedy := "is refused", ""
	var value *ValueError
	if errors.As(err, &value) {
		problem, remedy = value.Problem, value.Remedy
	}
	d.add(node, at.path, shown+" "+problem, remedy)
}
