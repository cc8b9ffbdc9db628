package strict

import (
	"cmp"
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

const (
	maxDepth   = 64
	maxVisited = 100_000
)

type (
	selfReader interface {
		UnmarshalYAML(unmarshal func(any) error) error
	}
	defaulter interface{ SetDefaults() }
)

// decode reads node into v, which can be set.
func (d *Document) decode(node ast.Node, v reflect.Value, at place, depth int) {
	if d.visited++; depth > maxDepth || d.visited > maxVisited {
		if d.visited <= maxVisited+1 {
			d.add(node, at.path, "nested too deep, or too much in all", "simplify it")
		}
		return
	}
	if node = d.resolve(node, at.path); node == nil {
		return
	}
	if _, null := node.(*ast.NullNode); null {
		return
	}
	if parse := d.opts.Parsers[v.Type()]; parse != nil {
		if text, ok := d.text(node, v, at); ok {
			value, err := parse(text)
			if err != nil {
				d.refuse(node, v, at, err)
				return
			}
			v.Set(reflect.ValueOf(value))
		}
		return
	}
	switch reader := v.Addr().Interface().(type) {
	case selfReader:
		d.decodeSelf(node, reader, at, depth)
		return
	case encoding.TextUnmarshaler:
		if text, ok := d.text(node, v, at); ok {
			if err := reader.UnmarshalText([]byte(text)); err != nil {
				d.refuse(node, v, at, err)
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(newValue(v.Type().Elem()))
		}
		d.decode(node, v.Elem(), at, depth+1)
	case reflect.Struct:
		d.decodeStruct(node, v, at, depth)
	case reflect.Map:
		d.decodeMap(node, v, at, depth)
	case reflect.Slice:
		d.decodeSlice(node, v, at, depth)
	case reflect.Interface:
		if value := d.decodeAny(node, at, depth); value != nil {
			v.Set(reflect.ValueOf(value))
		}
	default:
		d.decodeScalar(node, v, at)
	}
}

// newValue returns a pointer to a new value of type t with its defaults.
func newValue(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if s, ok := v.Interface().(defaulter); ok {
		s.SetDefaults()
	}
	return v
}

// decodeSelf lets a type read itself. It may try one form after another: the
// faults of an attempt count only if it returns them.
func (d *Document) decodeSelf(node ast.Node, reader selfReader, at place, depth int) {
	err := reader.UnmarshalYAML(func(target any) error {
		before := d.faults
		d.faults = nil
		d.decode(node, reflect.ValueOf(target).Elem(), at, depth+1)
		found := d.faults
		d.faults = before
		if found != nil {
			return found
		}
		return nil
	})
	switch e := err.(type) { // not errors.As: what wraps a list has a sentence of its own
	case nil:
	case faultList:
		d.faults = append(d.faults, e...)
	case *ValueError:
		d.add(node, at.path, e.Problem, e.Remedy)
	default:
		message := err.Error()
		if d.Expanded(at.path) {
			message = d.Quote(at.path, "") + " is refused"
		}
		d.add(node, at.path, message, "")
	}
}

func (d *Document) decodeStruct(node ast.Node, v reflect.Value, at place, depth int) {
	fields := fieldsOf(v.Type())
	if !isMapping(node) {
		d.add(node, at.path, kind(node)+" where a mapping is wanted", fields.remedy(node))
		return
	}
	for _, e := range d.entries(node, at.path, depth) {
		f, ok := fields.find(e.key)
		if !ok {
			d.unknown(e, fields, at)
			continue
		}
		inner := at.field(e.key)
		d.mark(inner.path, e.node)
		target := v.FieldByIndex(f.index)
		before := len(d.faults)
		d.decode(e.value, target, inner, depth+1)
		if len(d.faults) == before {
			d.checkAllowed(e.value, f, target, inner)
		}
	}
}

func (d *Document) unknown(e entry, fields fieldList, at place) {
	path := join(at.path, e.key)
	if d.opts.Refused != nil {
		if err := d.opts.Refused(path, join(at.schema, e.key), ""); err != nil {
			d.add(e.node, path, err.Problem, cmp.Or(err.Remedy, "remove it"))
			return
		}
	}
	remedy := "known here: " + strings.Join(fields.names(), ", ")
	if meant := fields.guess(e.key); meant != "" {
		remedy = "did you mean " + meant + "?"
	}
	d.add(e.node, path, "unknown key", remedy)
}

// checkAllowed compares a word with those of the field's oneof tag.
func (d *Document) checkAllowed(node ast.Node, f field, v reflect.Value, at place) {
	if len(f.oneOf) == 0 {
		return
	}
	if _, null := d.resolve(node, at.path).(*ast.NullNode); null {
		return
	}
	value := v.String()
	for _, allowed := range f.oneOf {
		if value == allowed {
			return
		}
	}
	if d.opts.Refused != nil {
		if err := d.opts.Refused(at.path, at.schema, value); err != nil {
			d.add(node, at.path, d.Quote(at.path, value)+" "+err.Problem, cmp.Or(err.Remedy, "use "+strings.Join(f.oneOf, " or ")))
			return
		}
	}
	remedy := "use one of " + strings.Join(f.oneOf, ", ")
	if meant := closest(value, f.oneOf); meant != "" && !d.marks[at.path].expanded {
		remedy = "did you mean " + meant + "?"
	}
	d.add(node, at.path, d.Quote(at.path, value)+" is none of "+strings.Join(f.oneOf, ", "), remedy)
}

func (d *Document) decodeMap(node ast.Node, v reflect.Value, at place, depth int) {
	if !isMapping(node) {
		d.mismatch(node, at, "a mapping")
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, e := range d.entries(node, at.path, depth) {
		inner := at.key(e.key)
		d.mark(inner.path, e.node)
		element := newValue(v.Type().Elem()).Elem()
		if element.Kind() == reflect.Pointer {
			element.Set(newValue(element.Type().Elem())) // also without a single key
		}
		d.decode(e.value, element, inner, depth+1)
		v.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), element)
	}
}

func (d *Document) decodeSlice(node ast.Node, v reflect.Value, at place, depth int) {
	list, ok := node.(*ast.SequenceNode)
	if _, isScalar := scalar(node); isScalar && !holdsKeys(v.Type().Elem()) {
		// One value stands for a list of it. Its place is the list's.
		element := newValue(v.Type().Elem()).Elem()
		d.decode(node, element, at, depth+1)
		v.Set(reflect.Append(reflect.MakeSlice(v.Type(), 0, 1), element))
		return
	}
	if !ok {
		d.mismatch(node, at, "a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, len(list.Values)))
	for i, value := range list.Values {
		inner := at.index(i)
		d.mark(inner.path, value)
		element := newValue(v.Type().Elem()).Elem()
		d.decode(value, element, inner, depth+1)
		v.Set(reflect.Append(v, element))
	}
}

// holdsKeys tells whether values of type t are written as mappings.
func holdsKeys(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Map || t.Kind() == reflect.Struct && len(fieldsOf(t)) > 0
}

// decodeAny returns plain maps, slices and scalars.
func (d *Document) decodeAny(node ast.Node, at place, depth int) any {
	if isMapping(node) {
		m := map[string]any{}
		d.decodeMap(node, reflect.ValueOf(&m).Elem(), at, depth)
		return m
	}
	switch n := node.(type) {
	case *ast.SequenceNode:
		s := []any{}
		d.decodeSlice(n, reflect.ValueOf(&s).Elem(), at, depth)
		return s
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		switch i := n.Value.(type) {
		case int64:
			return int(i)
		case uint64:
			if i <= math.MaxInt {
				return int(i)
			}
		}
		return n.Value
	case *ast.FloatNode:
		return n.Value
	}
	if text, ok := d.text(node, reflect.Value{}, at); ok {
		return text
	}
	return nil
}

// mark remembers where the value at path stands.
func (d *Document) mark(path string, node ast.Node) {
	line, column := position(node)
	d.marks[path] = mark{line: line, column: column}
}

// mismatch reports a value of another kind than wanted.
func (d *Document) mismatch(node ast.Node, at place, wanted string) {
	remedy := ""
	switch {
	case wanted == "text" && isMapping(node):
		remedy = "put it in quotes if it is text with a colon"
	case wanted == "a mapping":
		remedy = "write {name: value}"
	case wanted == "a list":
		remedy = "begin each entry with -, or write [x, y]"
	}
	d.add(node, at.path, fmt.Sprintf("%s where %s is wanted", kind(node), wanted), remedy)
}

func isMapping(node ast.Node) bool {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}
