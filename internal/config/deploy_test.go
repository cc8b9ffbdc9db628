package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/callgw/callgw/internal/config"
)

const deploy = "../../deploy"

func TestReferenceConfigurationIsWithoutFault(t *testing.T) {
	path := filepath.Join(deploy, "callgw.yaml")
	_, warnings, err := config.Load(path, environment)
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) > 0 {
		t.Error(lines(path, warnings))
	}
}

// TestReferenceConfigurationShowsDefaults uncomments nothing, but what stands
// in it must be what holds without it.
func TestReferenceConfigurationShowsDefaults(t *testing.T) {
	shown, _, err := config.Load(filepath.Join(deploy, "callgw.yaml"), environment)
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, "sip: {trunks: {carrier: {from: [203.0.113.0/24, 198.51.100.7]}}}\nhttp: {public_url: https://voice.example.com}\nmedia_streams: {twilio: {}}\n")
	if diff := c.NeedsRestart(shown); diff != nil {
		t.Errorf("%v differ from the defaults", diff)
	}
	if !reflect.DeepEqual(c.SIP.Trunks, shown.SIP.Trunks) {
		t.Errorf("trunks: got %+v, the default is %+v", shown.SIP.Trunks["carrier"], c.SIP.Trunks["carrier"])
	}
	if c.Calls != shown.Calls {
		t.Errorf("calls: got %+v, the default is %+v", shown.Calls, c.Calls)
	}
	if c.Agents["assistant"].Limits != shown.Agents["reception"].Limits || c.Agents["assistant"].BargeIn != shown.Agents["reception"].BargeIn ||
		c.Agents["assistant"].Greeting != shown.Agents["reception"].Greeting {
		t.Error("agent differs from the defaults")
	}
	if got, want := c.Providers["openai"].Realtime(), shown.Providers["openai"].Realtime(); got.BaseURL != want.BaseURL || got.Model != want.Model || got.Dialect != want.Dialect {
		t.Errorf("provider: got %+v, the default is %+v", want, got)
	}
}

func TestUnitWaitsLongerThanCallsDrain(t *testing.T) {
	unit, err := os.ReadFile(filepath.Join(deploy, "callgw.service"))
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`(?m)^TimeoutStopSec=(\d+)$`).FindSubmatch(unit)
	if match == nil {
		t.Fatal("no TimeoutStopSec")
	}
	wait, err := time.ParseDuration(string(match[1]) + "s")
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load(filepath.Join(deploy, "callgw.yaml"), environment)
	if err != nil {
		t.Fatal(err)
	}
	if wait <= c.Calls.Drain {
		t.Errorf("%v is not longer than calls.drain %v", wait, c.Calls.Drain)
	}
}

func TestPrometheusFilesAreYAML(t *testing.T) {
	for _, name := range []string{"prometheus.yml", "alerts.yml"} {
		source, err := os.ReadFile(filepath.Join(deploy, name))
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := yaml.UnmarshalWithOptions(source, &tree, yaml.Strict()); err != nil || len(tree) == 0 {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(string(source), "\t") {
			t.Errorf("%s: a tab", name)
		}
	}
}
