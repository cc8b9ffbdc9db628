package strict

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// MaxSize is how long a document may be, in bytes.
const MaxSize = 1 << 20

// Options of a document.
type Options struct {
	// Env looks up ${NAME}. Nil: nothing is set.
	Env func(string) (string, bool)
	// Dir is what ${file:PATH} is relative to. Empty: the working directory.
	Dir string
	// Parsers read scalars into types that cannot be given methods. Each
	// returns a value of that type, or a *ValueError.
	Parsers map[reflect.Type]func(string) (any, error)
	// Refused returns what is wrong with a key that is not in the schema, or
	// with a value that is none of those allowed (value is empty for keys), if
	// the fault is not that it is unknown; else nil. Without a remedy, the usual
	// one is to remove the key or to use an allowed value. Schema paths have * for
	// the keys of maps and [] for the places in lists.
	Refused func(path, schema, value string) *ValueError
}

// Document is a parsed document and the faults found in it so far.
type Document struct {
	opts    Options
	root    ast.Node
	anchors map[string]ast.Node
	marks   map[string]mark
	faults  faultList
	visited int // values decoded: aliases multiply
}

// Parse reads the one document in source. What is no YAML at all is its only
// fault.
func Parse(source []byte, opts Options) *Document {
	d := &Document{opts: opts, anchors: map[string]ast.Node{}, marks: map[string]mark{}}
	if len(source) > MaxSize {
		d.Fail("", fmt.Sprintf("%d bytes are too much", len(source)), fmt.Sprintf("keep it below %d", MaxSize))
		return d
	}
	if nested(source) > maxNesting {
		// Before it is parsed: the parser takes memory for each level.
		d.Fail("", fmt.Sprintf("lists and mappings are nested more than %d deep", maxNesting), "close the brackets")
		return d
	}
	file, err := parser.ParseBytes(source, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.faults = append(d.faults, syntaxFault(err))
		return d
	}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if d.root != nil {
			d.add(doc.Body, "", "a second document", "keep one")
			break
		}
		d.root = doc.Body
	}
	if d.root != nil {
		ast.Walk(anchorVisitor(d.anchors), d.root)
	}
	return d
}

// maxNesting bounds how deep brackets may be nested, which nobody does by hand.
const maxNesting = 64

// nested returns how deep brackets are nested at most. Those in texts count as
// well, unless they are closed: that is near enough.
func nested(source []byte) int {
	depth, most := 0, 0
	for _, b := range source {
		switch b {
		case '[', '{':
			depth++
			most = max(most, depth)
		case ']', '}':
			depth = max(0, depth-1)
		}
	}
	return most
}

// syntaxFault leaves out the excerpt that the parser adds: it may show secrets.
func syntaxFault(err error) Fault {
	f := Fault{Message: "not valid YAML"}
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) {
		return f
	}
	f.Message += ": " + syntax.GetMessage()
	if t := syntax.GetToken(); t != nil && t.Position != nil {
		f.Line, f.Column = t.Position.Line, t.Position.Column
	}
	return f
}

type anchorVisitor map[string]ast.Node

func (v anchorVisitor) Visit(node ast.Node) ast.Visitor {
	if a, ok := node.(*ast.AnchorNode); ok && a.Name != nil && a.Value != nil {
		v[a.Name.GetToken().Value] = a.Value
	}
	return v
}

// Decode reads the document into the struct that v points to.
func (d *Document) Decode(v any) {
	if d.root == nil {
		return
	}
	d.decode(d.root, reflect.ValueOf(v).Elem(), place{}, 0)
}

// Faults returns what is wrong, in the order of the document.
func (d *Document) Faults() []Fault {
	slices.SortStableFunc(d.faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return d.faults
}

// Fail reports something wrong with the value at path.
func (d *Document) Fail(path, message, remedy string) {
	d.faults = append(d.faults, d.Fault(path, message, remedy))
}

// Fault returns a fault at the place of the value at path or, if it is not in
// the document, of the nearest that holds it.
func (d *Document) Fault(path, message, remedy string) Fault {
	f := Fault{Key: path, Message: message, Remedy: remedy}
	for at := path; at != ""; at = parent(at) {
		if m, ok := d.marks[at]; ok {
			f.Line, f.Column = m.line, m.column
			break
		}
	}
	return f
}

// Has tells whether there is a value at path.
func (d *Document) Has(path string) bool {
	_, ok := d.marks[path]
	return ok
}

// Expanded tells whether the value at path, or one in it, comes from the
// environment or a file, and must not be shown.
func (d *Document) Expanded(path string) bool {
	if d.marks[path].expanded {
		return true
	}
	for at, m := range d.marks {
		if m.expanded && len(at) > len(path) && at[:len(path)] == path && (at[len(path)] == '.' || at[len(path)] == '[') {
			return true
		}
	}
	return false
}

// Quote returns value for a message: as it was written at path, if it comes
// from elsewhere.
func (d *Document) Quote(path, value string) string {
	for at := path; at != ""; at = parent(at) {
		if m, ok := d.marks[at]; ok {
			if m.expanded {
				return quote(m.source)
			}
			break
		}
	}
	return quote(value)
}

// add reports a fault at a node.
func (d *Document) add(node ast.Node, path, message, remedy string) {
	f := Fault{Key: path, Message: message, Remedy: remedy}
	f.Line, f.Column = position(node)
	d.faults = append(d.faults, f)
}

func position(node ast.Node) (line, column int) {
	if t := node.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line, t.Position.Column
	}
	return 0, 0
}
