package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// Log keeps what a gateway logs, a JSON object a line.
type Log struct {
	mu    sync.Mutex
	lines []string
}

// Write takes one line.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(p))
	return len(p), nil
}

// Lines returns what was logged so far.
func (l *Log) Lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// Entries returns the lines, read.
func (l *Log) Entries(t *testing.T) []Entry {
	t.Helper()
	var all []Entry
	for _, line := range l.Lines() {
		var e Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("not a JSON line: %v: %s", err, line)
		}
		all = append(all, e)
	}
	return all
}

// Entry is one line.
type Entry map[string]any

// Text returns a member as text, empty if there is none.
func (e Entry) Text(key string) string {
	if v, ok := e[key]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

// Find returns the entries that say message of a call.
func (l *Log) Find(t *testing.T, call, message string) []Entry {
	t.Helper()
	var found []Entry
	for _, e := range l.Entries(t) {
		if e.Text("call") == call && e.Text("message") == message {
			found = append(found, e)
		}
	}
	return found
}

func (l *Log) String() string { return strings.Join(l.Lines(), "") }
