package rules_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxLines is how long a file may be.
const maxLines = 500

// longer are files that may be longer, and why.
var longer = map[string]string{
	"bridge/call_test.go":     "the life of a call, told in one place",
	"sip/rtp/receive_test.go": "what may happen to packets on their way, told in one place",
}

func TestFilesAreShort(t *testing.T) {
	walk(t, func(file string) {
		if path.Ext(file) != ".go" {
			return
		}
		source, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(source, []byte("\n")); n > maxLines && longer[file] == "" {
			t.Errorf("%s: %d lines: one concept to a file", file, n)
		}
	})
}

func TestNoVagueNames(t *testing.T) {
	vague := regexp.MustCompile(`(^|_)(managers?|helpers?|utils?|common|processors?|data|info|misc)(_|\.|$)`)
	walk(t, func(file string) {
		if path.Ext(file) != ".go" {
			return
		}
		if vague.MatchString(path.Base(file)) {
			t.Errorf("%s: name the concept", file)
		}
	})
	for _, p := range packages(t) {
		if vague.MatchString(p.Name) {
			t.Errorf("package %s: name the concept", p.path())
		}
	}
}

func TestPackagesAreDescribed(t *testing.T) {
	for _, p := range packages(t) {
		begins := "Package " + p.Name + " "
		if p.Name == "main" {
			begins = strings.ToUpper(path.Base(p.path())[:1]) + path.Base(p.path())[1:] + " "
		}
		if len(p.GoFiles) > 0 && !strings.HasPrefix(p.Doc, begins) {
			t.Errorf("%s: its comment does not begin with %q", p.path(), begins)
		}
	}
}

// TestTestsDoNotSleep allows it in packages that test on a false clock.
func TestTestsDoNotSleep(t *testing.T) {
	for _, p := range packages(t) {
		var sleeps []string
		falseClock := false
		for _, name := range slices.Concat(p.TestGoFiles, p.XTestFiles) {
			fset, file := parse(t, p.path()+"/"+name)
			falseClock = falseClock || imports(file, "testing/synctest")
			for _, line := range uses(fset, file, "time", "Sleep") {
				sleeps = append(sleeps, fmt.Sprintf("%s/%s:%d", p.path(), name, line))
			}
		}
		if !falseClock && sleeps != nil {
			t.Errorf("wait for what is to happen, or use testing/synctest: %v", sleeps)
		}
	}
}

func TestNothingStartsByItself(t *testing.T) {
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			fset, file := parse(t, p.path()+"/"+name)
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
					t.Errorf("%s: func init", fset.Position(f.Pos()))
				}
			}
			if imports(file, "github.com/prometheus/client_golang/prometheus/promauto") {
				t.Errorf("%s/%s: promauto registers globally", p.path(), name)
			}
		}
	}
}

// TestParsersAreFuzzed lists the packages that read what others write.
func TestParsersAreFuzzed(t *testing.T) {
	for _, path := range []string{
		"dialplan", "internal/config/strict", "internal/jsonscan", "internal/modelwatch", "internal/wav",
		"mediastream", "realtime", "sip", "sip/naptr", "sip/rtp", "sip/sdp",
	} {
		p := named(t, path)
		found := false
		for _, name := range slices.Concat(p.TestGoFiles, p.XTestFiles) {
			_, file := parse(t, path+"/"+name)
			for _, d := range file.Decls {
				f, ok := d.(*ast.FuncDecl)
				found = found || ok && strings.HasPrefix(f.Name.Name, "Fuzz")
			}
		}
		if !found {
			t.Errorf("%s has no fuzz target", path)
		}
	}
}
