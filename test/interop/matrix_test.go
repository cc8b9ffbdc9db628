package interop_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// matrixFile is where docs/interop.md is, when it is to be written anew.
var matrixFile = flag.String("matrix", "", "write what the tests saw to this file, if all of them pass")

const (
	sippPeer       = "SIPp 3.6.1"
	baresipPeer    = "baresip 1.0.0"
	linphonePeer   = "linphone 5.1.65"
	kamailioPeer   = "Kamailio 5.6.3"
	sipviciousPeer = "SIPVicious 0.3.3"
)

// untested are peers whose columns are empty.
var untested = []string{"pjsua", "Asterisk"}

// sight is what a test saw.
type sight struct {
	peer, feature, test, what string
}

// sights are those of all tests of this run that have passed.
var sights struct {
	mu   sync.Mutex
	seen []sight
}

// saw records, once the test has passed, what it shows of a peer: a feature, and
// what was seen. It is called at the end of a test.
func saw(t *testing.T, peer, feature, format string, args ...any) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() || t.Skipped() {
			return
		}
		sights.mu.Lock()
		defer sights.mu.Unlock()
		sights.seen = append(sights.seen, sight{peer, feature, t.Name(), fmt.Sprintf(format, args...)})
	})
}

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests wait, for their peers and for time to go by; they do not compute.
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue && runtime.GOMAXPROCS(0) < 4 {
		_ = parallel.Value.Set("4") // a number
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if code == 0 && *matrixFile != "" {
			if err := os.WriteFile(*matrixFile, []byte(matrix(sights.seen)), 0o644); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
		os.Exit(code)
	}))
}

// matrix returns the document: features by peers, and what was seen of each.
func matrix(seen []sight) string {
	slices.SortFunc(seen, func(a, b sight) int {
		return cmp.Or(cmp.Compare(a.feature, b.feature), cmp.Compare(a.peer, b.peer), cmp.Compare(a.test, b.test), cmp.Compare(a.what, b.what))
	})
	peers := []string{sippPeer, baresipPeer, linphonePeer, kamailioPeer, sipviciousPeer, chromiumPeer}
	tested := map[[2]string]bool{}
	var features []string
	for _, s := range seen {
		tested[[2]string{s.feature, s.peer}] = true
		features = append(features, s.feature)
	}
	features = slices.Compact(features)

	var b strings.Builder
	b.WriteString(`# Interoperability

Written by ` + "`make interop`" + ` from a run of [test/interop](../test/interop) in which every test
passed, over loopback, against the peers that Debian 12 has. Do not edit it: a test
says what it saw with ` + "`saw`" + `, and the next run has it here.

"yes" is a feature that a test below shows with that peer; "–" is one that no test
has tried with it, which says nothing against it. pjsua and Asterisk are not in Debian 12's packages,
so nothing was tried with them. Its SIPp is built without TLS; baresip 1.0 knows neither
session timers nor UPDATE.

`)
	columns := slices.Concat(peers, untested)
	fmt.Fprintf(&b, "| Feature | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, feature := range features {
		fmt.Fprintf(&b, "| %s |", feature)
		for _, p := range columns {
			cell := "–"
			if tested[[2]string{feature, p}] {
				cell = "yes"
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n## What was seen\n\n| Feature | Peer | Seen | Test |\n|---|---|---|---|\n")
	for _, s := range seen {
		fmt.Fprintf(&b, "| %s | %s | %s | `%s` |\n", s.feature, s.peer, s.what, s.test)
	}
	return b.String()
}

// The document names tests that exist; that it is up to date is for make interop.
func TestMatrixNamesTests(t *testing.T) {
	if *matrixFile != "" {
		t.Skip("it is being written")
	}
	document, err := os.ReadFile("../../docs/interop.md")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file.Name(), "_test.go") {
			text, err := os.ReadFile(file.Name())
			if err != nil {
				t.Fatal(err)
			}
			source = append(source, text...)
		}
	}
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)").FindAllStringSubmatch(string(document), -1)
	if len(named) == 0 {
		t.Error("docs/interop.md names no test")
	}
	for _, m := range named {
		if !strings.Contains(string(source), "func "+m[1]+"(") {
			t.Errorf("docs/interop.md names %s: run make interop", m[1])
		}
	}
}
