package rules_test

import (
	"slices"
	"strings"
	"testing"
)

// TestPackagesKnowOnly lists, for packages that must stay small, all of this
// module that they may depend on, directly or not.
func TestPackagesKnowOnly(t *testing.T) {
	for path, may := range map[string][]string{
		"bridge/media":     nil,
		"dialplan":         nil,
		"internal/vad":     {"bridge/media"},
		"internal/mask":    nil,
		"bridge/playout":   {"bridge/media"},
		"bridge/pacer":     {"bridge/media"},
		"bridge/answering": {"bridge/media", "internal/vad"},
		"sip/naptr":        nil,
		"sip/sdp":          {"bridge/media"},
		"sip/rtp":          {"bridge/media", "bridge/pacer", "sip/sdp"},
		"sip/siptest":      nil,
		"realtime":         {"internal/jsonscan", "internal/toolschema"},
		"internal/phone":   {"bridge/media", "internal/vad"},
		"internal/config":  {"bridge/answering", "bridge/media", "dialplan", "internal/config/strict", "internal/jsonscan", "internal/toolschema", "internal/vad", "internal/wav", "realtime"},

		"internal/transcode":     {"bridge/media"},
		"internal/keytone":       {"bridge/media"},
		"internal/toolschema":    nil,
		"internal/httptool":      {"internal/toolschema"},
		"internal/errands":       nil,
		"internal/jsonscan":      nil,
		"internal/webphone":      nil,
		"internal/modelwatch":    {"internal/jsonscan", "internal/toolschema", "realtime"},
		"internal/config/strict": nil,
	} {
		for _, dep := range own(named(t, path).Deps) {
			if !slices.Contains(may, dep) {
				t.Errorf("%s depends on %s", path, dep)
			}
		}
	}
}

// TestPackagesNeverKnow says what must not be reached, and why.
func TestPackagesNeverKnow(t *testing.T) {
	for _, c := range []struct {
		path  string
		never []string
		why   string
	}{
		{"bridge", []string{"sip", "sip/sdp", "sip/rtp", "mediastream"}, "a call is joined to any leg"},
		{"bridge", []string{"realtime/realtimetest"}, "it is a server for tests"},
		{"sip", []string{"bridge", "bridge/playout", "mediastream", "realtime"}, "a leg knows neither bridge nor model"},
		{"mediastream", []string{"bridge", "bridge/playout", "sip", "realtime"}, "a leg knows neither bridge nor model"},
		{"realtime/realtimetest", []string{"realtime", "bridge", "sip", "mediastream"}, "a server must not share its client's faults"},
		{"mediastream/mediastreamtest", []string{"bridge", "sip", "realtime"}, "a carrier knows no gateway"},
		{"internal/admin", []string{"sip", "mediastream", "internal/config"}, "it shows calls, whatever they come by"},
		{"internal/config", []string{"bridge", "sip", "mediastream"}, "it fills in values, it runs nothing"},
	} {
		for _, dep := range own(named(t, c.path).Deps) {
			if slices.Contains(c.never, dep) {
				t.Errorf("%s depends on %s: %s", c.path, dep, c.why)
			}
		}
	}
}

// TestOnlyCommandsKnowAll keeps the place where all is put together at the top.
func TestOnlyCommandsKnowAll(t *testing.T) {
	for _, p := range packages(t) {
		for _, dep := range own(p.Imports) {
			if dep == "internal/gateway" && !strings.HasPrefix(p.path(), "cmd/") && !strings.HasPrefix(p.path(), "test/") {
				t.Errorf("%s imports %s", p.path(), dep)
			}
			if strings.HasPrefix(dep, "cmd/") {
				t.Errorf("%s imports a command, %s", p.path(), dep)
			}
		}
	}
}

// TestPurePackages have no world outside: no network, no files, no clock.
func TestPurePackages(t *testing.T) {
	world := []string{"net", "net/http", "os", "os/exec", "log", "log/slog", "syscall", "context", "sync"}
	for _, path := range []string{"bridge/media", "bridge/answering", "dialplan", "sip/sdp", "internal/vad", "internal/keytone", "internal/jsonscan", "internal/wav", "internal/mask"} {
		p := named(t, path)
		for _, dep := range p.Imports {
			if slices.Contains(world, dep) {
				t.Errorf("%s imports %s", path, dep)
			}
		}
		for _, name := range p.GoFiles {
			fset, file := parse(t, path+"/"+name)
			for _, line := range uses(fset, file, "time", "Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker") {
				t.Errorf("%s/%s:%d: a pure package asks the clock", path, name, line)
			}
		}
	}
}
