package contract_test

import (
	"encoding/json"
	"testing"

	"github.com/callgw/callgw/internal/contract"
)

func TestSchemasAcceptThePublishedExamples(t *testing.T) {
	schemas := map[string]*contract.Schema{}
	for _, dialect := range []string{"ga", "beta"} {
		for _, dir := range []string{"client", "server"} {
			schemas[dialect+"-"+dir] = contract.OpenSchema(t, "realtime-events/"+dialect+"-"+dir+".schema.json")
		}
	}
	passed, failed := 0, 0
	for _, line := range contract.Lines(t, "realtime-examples.jsonl") {
		var example struct {
			Dir, Dialect string
			Message      json.RawMessage
		}
		if err := json.Unmarshal(line, &example); err != nil {
			t.Fatal(err)
		}
		if err := schemas[example.Dialect+"-"+example.Dir].Validate(example.Message); err != nil {
			failed++
		} else {
			passed++
		}
	}
	// Three examples are faulty on purpose or by misprint.
	if failed != 3 || passed != 124 {
		t.Errorf("%d examples passed and %d failed, want 124 and 3", passed, failed)
	}
}
