package rules_test

import (
	"go/ast"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	_ "time/tzdata" // hours name time zones

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/config"
)

func read(t *testing.T, file string) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

func TestChangelogHasAnUnreleasedSection(t *testing.T) {
	if !strings.Contains(read(t, "CHANGELOG.md"), "\n## [Unreleased]\n") {
		t.Error("no section ## [Unreleased]")
	}
}

func TestReferenceConfigurationLoads(t *testing.T) {
	env := func(string) (string, bool) { return "value", true }
	_, warnings, err := config.Load(filepath.Join(root, "deploy/callgw.yaml"), env)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		t.Error(w)
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinksLeadSomewhere is about links within the repository.
func TestLinksLeadSomewhere(t *testing.T) {
	walk(t, func(file string) {
		if path.Ext(file) != ".md" {
			return
		}
		for _, match := range link.FindAllStringSubmatch(read(t, file), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			at := file
			if target != "" {
				at = path.Join(path.Dir(file), target)
			}
			if _, err := os.Stat(filepath.Join(root, at)); err != nil {
				t.Errorf("%s: %s does not exist", file, match[1])
				continue
			}
			if anchor != "" && !anchors(read(t, at))[anchor] {
				t.Errorf("%s: %s has no such heading", file, match[1])
			}
		}
	})
}

// anchors returns the names by which the headings of a document are linked to.
func anchors(source string) map[string]bool {
	names := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(source, -1) {
		name := strings.ToLower(strings.ReplaceAll(match[1], " ", "-"))
		names[regexp.MustCompile(`[^a-z0-9_-]`).ReplaceAllString(name, "")] = true
	}
	return names
}

// rows returns the rows of a document's tables whose first cell is code: that
// cell's text, and the others.
func rows(source string) map[string][]string {
	found := map[string][]string{}
	for _, line := range strings.Split(source, "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		first := strings.TrimSpace(cells[0])
		if !strings.HasPrefix(line, "| `") || strings.Count(first, "`") != 2 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		found[strings.Trim(first, "`")] = cells[1:]
	}
	return found
}

// TestEveryCauseAndEventIsDocumented is about the words that operators meet.
func TestEveryCauseAndEventIsDocumented(t *testing.T) {
	operation := read(t, "docs/operation.md")
	words := make([]string, 0, len(media.Causes()))
	for _, cause := range media.Causes() {
		words = append(words, cause.String())
	}
	_, file := parse(t, "bridge/timeline.go")
	for _, d := range file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			value := spec.(*ast.ValueSpec)
			if !strings.HasPrefix(value.Names[0].Name, "Event") {
				continue
			}
			words = append(words, strings.Trim(value.Values[0].(*ast.BasicLit).Value, `"`))
		}
	}
	for _, word := range words {
		if !strings.Contains(operation, "`"+word+"`") {
			t.Errorf("%s is not in docs/operation.md", word)
		}
	}
}
