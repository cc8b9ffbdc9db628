// Package contract gives tests the contract data of the protocols that callgw
// speaks: event schemas, example messages, signature vectors, torture messages.
//
// The data is not part of this repository. It is looked for in the directory
// that CALLGW_CONTRACT_DATA names, else in shared/data beside the checkout; a
// test that asks for what is absent is skipped with a sentence that says so.
package contract

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// File returns the contents of the contract file at path.
func File(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Dir(t), filepath.FromSlash(path)))
	if err != nil {
		t.Skipf("contract data absent: %v (set CALLGW_CONTRACT_DATA to where it is)", err)
	}
	return b
}

// Dir returns the directory that holds the contract data.
func Dir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("CALLGW_CONTRACT_DATA"); dir != "" {
		return dir
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(root)
		if parent == root {
			t.Fatal("contract: no go.mod above the working directory")
		}
		root = parent
	}
	dir := filepath.Join(filepath.Dir(root), "shared", "data")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("contract data absent: no shared/data beside the checkout (set CALLGW_CONTRACT_DATA to where it is)")
	}
	return dir
}

// Lines returns the JSON values of the contract file at path, one per line.
func Lines(t testing.TB, path string) []json.RawMessage {
	t.Helper()
	var lines []json.RawMessage
	s := bufio.NewScanner(bytes.NewReader(File(t, path)))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if line := bytes.TrimSpace(s.Bytes()); len(line) > 0 {
			lines = append(lines, json.RawMessage(bytes.Clone(line)))
		}
	}
	if err := s.Err(); err != nil {
		t.Fatalf("contract: %s: %v", path, err)
	}
	return lines
}

// Schema validates messages against one contract schema. It is safe for
// concurrent use.
type Schema struct {
	mu     sync.Mutex
	schema *jsonschema.Schema
}

// OpenSchema compiles the JSON Schema at path.
func OpenSchema(t testing.TB, path string) *Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(File(t, path)))
	if err != nil {
		t.Fatalf("contract: %s: %v", path, err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(path, doc); err != nil {
		t.Fatalf("contract: %s: %v", path, err)
	}
	schema, err := c.Compile(path)
	if err != nil {
		t.Fatalf("contract: %s: %v", path, err)
	}
	return &Schema{schema: schema}
}

// Validate returns what is wrong with message, or nil.
func (s *Schema) Validate(message []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(message))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.schema.Validate(value)
}
