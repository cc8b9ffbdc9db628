package strict

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

// entry is one key of a mapping.
type entry struct {
	key   string
	node  ast.Node // the key's
	value ast.Node
}

// resolve goes through anchors and aliases to the value they stand for. It
// returns nil when there is none, which it reports.
func (d *Document) resolve(node ast.Node, path string) ast.Node {
	for range maxDepth {
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
		case *ast.AliasNode:
			target := d.anchors[n.Value.GetToken().Value]
			if target == nil {
				d.add(n, path, fmt.Sprintf("alias of an unknown anchor %s", quote(n.Value.GetToken().Value)), "name an anchor of this file")
				return nil
			}
			node = target
		case *ast.TagNode:
			d.add(n, path, "tags are not used here", "remove "+quote(n.Start.Value))
			return nil
		case nil:
			return nil
		default:
			return node
		}
	}
	d.add(node, path, "alias of itself", "remove it")
	return nil
}

// entries returns the keys of a mapping, merged ones last. It reports keys that
// are there twice and keys that are no scalars.
func (d *Document) entries(node ast.Node, path string, depth int) []entry {
	var values []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	}
	var own, merged []entry
	seen := map[string]ast.Node{}
	for _, v := range values {
		if _, ok := v.Key.(*ast.MergeKeyNode); ok {
			merged = append(merged, d.merged(v.Value, path, depth+1)...)
			continue
		}
		key, ok := keyText(v.Key)
		if !ok {
			d.add(v.Key, path, "a key that is no plain word", "write key: value")
			continue
		}
		if first, twice := seen[key]; twice {
			line, _ := position(first)
			d.add(v.Key, join(path, key), fmt.Sprintf("duplicate key, first in line %d", line), "keep one of them")
			continue
		}
		seen[key] = v.Key
		own = append(own, entry{key, v.Key, v.Value})
	}
	for _, e := range merged {
		if seen[e.key] == nil {
			seen[e.key] = e.node
			own = append(own, e)
		}
	}
	return own
}

// merged returns the keys behind <<: a mapping or a list of them.
func (d *Document) merged(node ast.Node, path string, depth int) []entry {
	if depth > maxDepth {
		d.add(node, path, "nested too deep", "simplify it")
		return nil
	}
	node = d.resolve(node, path)
	switch n := node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return d.entries(n, path, depth)
	case *ast.SequenceNode:
		var all []entry
		for _, v := range n.Values {
			all = append(all, d.merged(v, path, depth+1)...)
		}
		return all
	case nil:
	default:
		d.add(node, path, "<< takes a mapping, not "+kind(node), "merge an alias such as <<: *base")
	}
	return nil
}

func keyText(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// kind says in a word or two what a node is.
func kind(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode:
		return "nothing"
	}
	return "text"
}

// scalar returns a scalar's text as it was written: numbers are not turned
// into others, so that +14155550100 stays a telephone number.
func scalar(node ast.Node) (text string, ok bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}
