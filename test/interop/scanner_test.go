package interop_test

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

// scan runs a program of SIPVicious against a gateway and returns what it says. In
// disguise it does not give its name away in User-Agent.
func scan(t *testing.T, g *gateway, disguised bool, program string, args ...string) string {
	t.Helper()
	peer(t, "svmap")
	dir := t.TempDir()
	modules := "/usr/share/sipvicious"
	if disguised {
		if err := os.CopyFS(filepath.Join(dir, "sipvicious"), os.DirFS(filepath.Join(modules, "sipvicious"))); err != nil {
			t.Fatal(err)
		}
		maker := filepath.Join(dir, "sipvicious", "libs", "svhelper.py")
		text, err := os.ReadFile(maker)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(maker, bytes.ReplaceAll(text, []byte("friendly-scanner"), []byte("softphone")), 0o600); err != nil {
			t.Fatal(err)
		}
		modules = dir
	}
	_, port, err := net.SplitHostPort(g.udp)
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{
		"-c", fmt.Sprintf("import sys; sys.path.insert(0, %q); from sipvicious.%s import main; main()", modules, program),
		"-p", port, "-P", strconv.Itoa(freePort(t)), "-b", "127.0.0.1",
	}, args...)
	cmd := exec.CommandContext(t.Context(), "python3", append(args, "127.0.0.1")...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", program, err, out)
	}
	return string(out)
}

// counted returns the values of a counter or gauge by the value of its label.
func counted(t *testing.T, reg *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			label := ""
			if len(m.GetLabel()) > 0 {
				label = m.GetLabel()[0].GetValue()
			}
			counts[label] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return counts
}

// strict takes calls from one trunk far away.
func strict(cfg *sip.Config) {
	cfg.AcceptUnknown = false
	cfg.Trunks = []sip.Trunk{{Name: "carrier", From: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}
}

// openFiles is how many files and sockets this process has, and goroutines.
func openFiles(t *testing.T) (files, goroutines int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("it is not told here which files are open")
	}
	return len(entries), runtime.NumGoroutine()
}

// A silent gateway is not found, and what looks for it costs nothing. No other test
// runs meanwhile.
func TestScannersFindNothing(t *testing.T) {
	own(t)
	reg := prometheus.NewRegistry()
	g := start(t, strict, func(cfg *sip.Config) { cfg.Silent, cfg.Metrics = true, sip.NewMetrics(reg) })
	look := func(disguised bool) {
		var running sync.WaitGroup
		for _, args := range [][]string{
			{"svmap"},
			{"svmap", "-m", "INVITE"},
			{"svwar", "-e100-199", "--force", "-m", "INVITE"},
			{"svwar", "-e100-199"},
		} {
			running.Go(func() {
				if out := scan(t, g, disguised, args[0], args[1:]...); !strings.Contains(out, "found nothing") {
					t.Errorf("%q: %s", args, out)
				}
			})
		}
		running.Wait()
	}
	look(false)
	files, goroutines := openFiles(t)
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	heap := memory.HeapAlloc
	look(true)
	dropped := counted(t, reg, "callgw_sip_dropped_total")
	if dropped["scanner"] < 4 || dropped["unknown"] < 4 {
		t.Errorf("counted %v, want at least 4 scanners and 4 unknown", dropped)
	}
	eventually(t, "no file and no goroutine is left", func() bool {
		f, n := openFiles(t)
		return f <= files && n <= goroutines
	})
	runtime.GC()
	runtime.ReadMemStats(&memory)
	if grown := int64(memory.HeapAlloc) - int64(heap); grown > 1<<20 {
		t.Errorf("%d bytes of memory are left in use", grown)
	}
	saw(t, sipviciousPeer, "scanners", "svmap and svwar find nothing where strangers get silence, by name or in disguise; each message is counted, no goroutine, socket or memory is left")
}

// Where strangers are told, they are told 403 and no more.
func TestScannersAreRefused(t *testing.T) {
	t.Parallel()
	own(t)
	reg := prometheus.NewRegistry()
	g := start(t, strict, func(cfg *sip.Config) { cfg.Metrics = sip.NewMetrics(reg) })
	if out := scan(t, g, true, "svmap", "-d", "-m", "INVITE"); !strings.Contains(out, "SIP/2.0 403 ") {
		t.Errorf("svmap: %s", out)
	}
	if out := scan(t, g, true, "svwar", "-e100-199", "--force", "-m", "INVITE"); !strings.Contains(out, "found nothing") {
		t.Errorf("svwar: %s", out)
	}
	if dropped := counted(t, reg, "callgw_sip_dropped_total"); dropped["unknown"] < 2 {
		t.Errorf("counted %v", dropped)
	}
	saw(t, sipviciousPeer, "scanners", "where strangers are refused, svmap is told 403, and svwar finds no extension")
}

// Who guesses the password of a trunk is soon not answered any more, not even when the
// guess is right.
func TestPasswordsAreNotGuessed(t *testing.T) {
	t.Parallel()
	own(t)
	words := filepath.Join(t.TempDir(), "words")
	var text strings.Builder
	for i := range 60 {
		fmt.Fprintf(&text, "word%d\n", i)
	}
	text.WriteString("secret\n")
	if err := os.WriteFile(words, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	var refused atomic.Int64
	g := start(t, lab, func(cfg *sip.Config) {
		cfg.Metrics = sip.NewMetrics(reg)
		cfg.Rejected = func(trunk string, cause media.Cause) {
			if trunk == "lab" && cause == media.UnknownTrunk {
				refused.Add(1)
			}
		}
	})
	began := time.Now()
	if out := scan(t, g, true, "svcrack", "-u", "lab", "-d", words, "-m", "INVITE"); !strings.Contains(out, "found nothing") {
		t.Errorf("svcrack: %s", out)
	}
	took := time.Since(began)
	dropped := counted(t, reg, "callgw_sip_dropped_total")
	if n := refused.Load(); n == 0 || n > 50 || dropped["auth"] == 0 {
		t.Errorf("%d passwords were judged in %v, counted %v", n, took, dropped)
	}
	saw(t, sipviciousPeer, "scanners", "svcrack tries 60 passwords and then the right one: %d are judged, the others dropped and counted; it finds nothing", refused.Load())
}
