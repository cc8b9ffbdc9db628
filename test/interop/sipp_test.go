package interop_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip"
)

// peer returns the path of a program, or skips the test.
func peer(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	missing(t, name)
	return ""
}

// missing skips a test whose peer is not there, or fails it where all must be.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CALLGW_REQUIRE_PEERS") == "1" {
		t.Fatalf("%s is not installed and CALLGW_REQUIRE_PEERS=1: run test/peers.sh", what)
	}
	t.Skipf("%s is not installed: run test/peers.sh", what)
}

// scenario is one run of SIPp as the caller.
type scenario struct {
	file      string
	user      string // whom it calls; "" means echo
	transport string // of SIPp: "u1" or "t1"; "" means u1
	replace   map[string]string
	args      []string
	limit     time.Duration // 0 means 15 s
}

// run plays the scenario and returns the messages that SIPp saw.
func (s scenario) run(t *testing.T, g *gateway) string {
	t.Helper()
	sipp := peer(t, "sipp")
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join("sipp", s.file))
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range s.replace {
		text = []byte(strings.ReplaceAll(string(text), from, to))
	}
	file := filepath.Join(dir, s.file)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if s.user == "" {
		s.user = userEcho
	}
	target := g.udp
	if s.transport == "" {
		s.transport = "u1"
	} else {
		target = g.tcp
	}
	if s.limit == 0 {
		s.limit = 15 * time.Second
	}
	host := "127.0.0.1"
	if h, _, err := net.SplitHostPort(target); err == nil && strings.Contains(h, ":") {
		host = "[" + h + "]"
	}
	seconds := strconv.Itoa(int(s.limit / time.Second))
	args := append([]string{
		"-sf", file, "-m", "1", "-s", s.user, "-t", s.transport, "-i", host, "-p", strconv.Itoa(freePort(t)),
		"-mi", host, "-mp", strconv.Itoa(freePort(t)), "-nostdin", "-timeout", seconds + "s", "-timeout_error",
		"-trace_msg", "-message_file", filepath.Join(dir, "messages"), "-trace_err", "-error_file", filepath.Join(dir, "errors"),
	}, s.args...)
	ctx, cancel := context.WithTimeout(t.Context(), s.limit+5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, sipp, append(args, target)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TERM=dumb")
	out, err := cmd.CombinedOutput()
	messages, _ := os.ReadFile(filepath.Join(dir, "messages"))
	if err != nil {
		errors, _ := os.ReadFile(filepath.Join(dir, "errors"))
		t.Fatalf("sipp: %v\n%s\n%s\n%s", err, tail(string(out)), errors, messages)
	}
	return string(messages)
}

func tail(s string) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

func TestSIPpBasicCall(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, transport string }{{"UDP", ""}, {"TCP", "t1"}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := start(t)
			scenario{file: "basic.xml", transport: test.transport, args: []string{"-rtp_echo"}}.run(t, g)
			if e := wantCall(t, g, media.PCMU, media.CallerHungUp); e != nil && (e.stats.Sent < 90 || e.stats.Received < 90) {
				t.Errorf("in two seconds %d packets were sent and %d received", e.stats.Sent, e.stats.Received)
			}
			saw(t, sippPeer, "call in", "two seconds over %s, at least 90 packets each way", test.name)
		})
	}
}

func TestSIPpBasicCallOverIPv6(t *testing.T) {
	t.Parallel()
	g := start(t, func(cfg *sip.Config) {
		cfg.Listen = []sip.Listen{{Network: "udp", Addr: "[::1]:0"}, {Network: "tcp", Addr: "[::1]:0"}}
	})
	for _, transport := range []string{"", "t1"} {
		scenario{file: "pcma.xml", transport: transport}.run(t, g)
	}
	saw(t, sippPeer, "IPv6", "calls over UDP and TCP")
}

// wantCall returns the gateway's only call, nil when the gateway is another one.
func wantCall(t *testing.T, g *gateway, codec media.Codec, cause media.Cause) *echo {
	t.Helper()
	e := g.call(t)
	if e != nil && (e.codec != codec || e.cause != cause) {
		t.Errorf("the call spoke %v and ended with %v, want %v and %v", e.codec, e.cause, codec, cause)
	}
	return e
}

// rows are what scenarios show: the feature, and what SIPp saw.
var rows = map[string][2]string{
	"late_offer.xml":     {"call in", "an INVITE without an offer: ours is in the 200, the answer in the ACK"},
	"update.xml":         {"UPDATE", "hold and resume by UPDATE"},
	"cancel.xml":         {"CANCEL", "200 for the CANCEL, 487 for the INVITE"},
	"cancel_late.xml":    {"CANCEL", "a CANCEL that crosses the 200 is answered 200, and the call goes on"},
	"merged.xml":         {"merged request", "the INVITE that comes over another path is answered 482, and the call goes on"},
	"options.xml":        {"OPTIONS", "answered 200"},
	"no_ack.xml":         {"lost ACK", "200 is repeated for 32 s, then callgw hangs up"},
	"unknown_dialog.xml": {"refusals", "a request of no dialog is answered 481"},
	"max_forwards.xml":   {"refusals", "an INVITE whose hops are used up is answered 483"},
	"record_route.xml":   {"Record-Route", "callgw's BYE follows the route set"},
	"bye.xml":            {"hang-up by callgw", "BYE"},
	"unavailable.xml":    {"refusals", "503 with Retry-After"},
}

func TestSIPpScenarios(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		scenario
		codec media.Codec
		cause media.Cause // 0: no call came about
	}{
		{scenario: scenario{file: "pcma.xml"}, codec: media.PCMA, cause: media.CallerHungUp},
		{scenario: scenario{file: "late_offer.xml"}, cause: media.CallerHungUp},
		{scenario: scenario{file: "update.xml"}, cause: media.CallerHungUp},
		{scenario: scenario{file: "cancel.xml", user: userRing}, cause: media.CallerCancelled},
		{scenario: scenario{file: "cancel_late.xml"}, cause: media.CallerHungUp},
		{scenario: scenario{file: "merged.xml"}, cause: media.CallerHungUp},
		{scenario: scenario{file: "options.xml"}},
		{scenario: scenario{file: "no_ack.xml", limit: 38 * time.Second}, cause: media.LegFailed},
		{scenario: scenario{file: "unknown_dialog.xml"}},
		{scenario: scenario{file: "max_forwards.xml"}},
		{scenario: scenario{file: "record_route.xml", user: userBye}, cause: media.AgentHungUp},
		{scenario: scenario{file: "bye.xml", user: userBye}, cause: media.AgentHungUp},
		{scenario: scenario{file: "unavailable.xml", user: userFull}},
	} {
		t.Run(strings.TrimSuffix(test.file, ".xml"), func(t *testing.T) {
			t.Parallel()
			g := start(t)
			test.run(t, g)
			if test.cause != 0 {
				wantCall(t, g, test.codec, test.cause)
			}
			if row, ok := rows[test.file]; ok {
				saw(t, sippPeer, row[0], "%s", row[1])
			}
		})
	}
}

func TestSIPpRefusals(t *testing.T) {
	t.Parallel()
	formats := map[string]string{"STATUS": "488", "FORMATS": "18 3"}
	for name, s := range map[string]scenario{
		"no route":           {user: userNone, replace: map[string]string{"STATUS": "404", "FORMATS": "0 8"}},
		"no codec in common": {replace: formats},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.file = "refused.xml"
			s.run(t, start(t))
		})
	}
	t.Run("unknown trunk", func(t *testing.T) {
		t.Parallel()
		if os.Getenv("CALLGW_SIP_TARGET") != "" {
			t.Skip("the other gateway's trunks are its own")
		}
		g := start(t, func(cfg *sip.Config) { cfg.AcceptUnknown = false })
		scenario{file: "refused.xml", replace: map[string]string{"STATUS": "403", "FORMATS": "0 8"}}.run(t, g)
	})
	t.Run("draining", func(t *testing.T) {
		t.Parallel()
		g := start(t)
		if g.server == nil {
			t.Skip("another gateway is not drained")
		}
		g.server.Drain()
		scenario{file: "unavailable.xml"}.run(t, g)
	})
}

func TestSIPpHoldAndResume(t *testing.T) {
	t.Parallel()
	g := start(t)
	scenario{file: "hold.xml", args: []string{"-rtp_echo"}}.run(t, g)
	if e := wantCall(t, g, media.PCMU, media.CallerHungUp); e != nil {
		if diff := cmp.Diff([]bool{true, false}, e.holds); diff != "" {
			t.Errorf("hold: %s", diff)
		}
		// 2.3 s of the call, 0.8 of them on hold, in which nothing is sent.
		if e.stats.Sent < 60 || e.stats.Sent > 95 {
			t.Errorf("%d packets were sent", e.stats.Sent)
		}
		saw(t, sippPeer, "hold and resume", "hold and resume are noticed; nothing is sent on hold")
	}
}

func TestSIPpTwoHundredIsRepeated(t *testing.T) {
	t.Parallel()
	g := start(t)
	messages := scenario{file: "late_ack.xml"}.run(t, g)
	// At 0, 0.5, 1.5 and 3.5 s, and no more after the ACK at 4 s; and one for BYE.
	n := strings.Count(messages, "SIP/2.0 200 OK")
	if n != 5 {
		t.Errorf("%d times 200, want 5:\n%s", n, messages)
	}
	saw(t, sippPeer, "lost ACK", "200 is repeated at 0.5, 1.5 and 3.5 s until the ACK comes")
}

func TestSIPpKeys(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"dtmf.xml": "15#", "info.xml": "7"} {
		t.Run(strings.TrimSuffix(file, ".xml"), func(t *testing.T) {
			t.Parallel()
			g := start(t)
			scenario{file: file}.run(t, g)
			if e := g.call(t); e != nil && e.digits != want {
				t.Errorf("keys %q, want %q (%+v)", e.digits, want, e.stats)
			}
			saw(t, sippPeer, "DTMF in", "%s: keys %s", strings.TrimSuffix(file, ".xml"), want)
		})
	}
}

func TestSIPpPacketTime(t *testing.T) {
	t.Parallel()
	for file, bytes := range map[string]uint64{"ptime.xml": 320, "maxptime.xml": 80} {
		t.Run(strings.TrimSuffix(file, ".xml"), func(t *testing.T) {
			t.Parallel()
			g := start(t)
			scenario{file: file}.run(t, g)
			if e := g.call(t); e != nil && (e.stats.Sent == 0 || e.stats.SentBytes/e.stats.Sent != bytes) {
				t.Errorf("%d bytes in %d packets, want %d in each", e.stats.SentBytes, e.stats.Sent, bytes)
			}
			saw(t, sippPeer, "packet time", "%s: %d bytes in each packet, as asked for", strings.TrimSuffix(file, ".xml"), bytes)
		})
	}
}

func TestSIPpCallerVanishes(t *testing.T) {
	t.Parallel()
	if os.Getenv("CALLGW_SIP_TARGET") != "" {
		t.Skip("the other gateway's media time-out is its own")
	}
	g := start(t, func(cfg *sip.Config) { cfg.MediaTimeout = 2 * time.Second })
	scenario{file: "media_timeout.xml"}.run(t, g)
	wantCall(t, g, media.PCMU, media.MediaTimeout)
	saw(t, sippPeer, "caller vanishes", "callgw hangs up when no audio has come for the media time-out")
}

// Many calls at once, and nothing is left of them.
func TestSIPpManyCalls(t *testing.T) {
	t.Parallel()
	g := start(t)
	args := []string{"-m", "40", "-r", "20", "-l", "40"}
	scenario{file: "basic.xml", args: args}.run(t, g)
	if g.server == nil {
		return
	}
	calls := g.ended(t, 40)
	if n := g.server.Calls(); n != 0 {
		t.Errorf("%d calls are left", n)
	}
	if slices.ContainsFunc(calls, func(e *echo) bool { return e.cause != media.CallerHungUp }) {
		t.Error("not all calls were hung up by the caller")
	}
	saw(t, sippPeer, "calls in parallel", "40 calls at 20 per second, none lost, nothing left of them")
}
