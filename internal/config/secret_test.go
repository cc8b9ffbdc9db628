package config_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/callgw/callgw/internal/config"
)

func TestSecretNeverPrints(t *testing.T) {
	v := struct {
		Key   config.Secret            `json:"key" yaml:"key"`
		Empty config.Secret            `json:"empty" yaml:"empty"`
		Map   map[string]config.Secret `json:"map" yaml:"map"`
	}{Key: "hunter2", Map: map[string]config.Secret{"a": "hunter2"}}
	for verb, want := range map[string]string{
		"%v": "{***  map[a:***]}", "%+v": "{Key:*** Empty: Map:map[a:***]}", "%s": "{***  map[a:***]}",
		"%x": "{***  map[61:***]}", "%q": `{***  map["a":***]}`,
	} {
		if got := fmt.Sprintf(verb, v); got != want {
			t.Errorf("%s: got %s, want %s", verb, got, want)
		}
	}
	if got := fmt.Sprintf("%#v", v.Key); got != "***" {
		t.Errorf("%%#v: got %s", got)
	}
	if got, err := json.Marshal(v); err != nil || string(got) != `{"key":"***","empty":"","map":{"a":"***"}}` {
		t.Errorf("JSON: got %s, %v", got, err)
	}
	if got, err := yaml.Marshal(v); err != nil || string(got) != "key: \"***\"\nempty: \"\"\nmap:\n  a: \"***\"\n" {
		t.Errorf("YAML: got %s, %v", got, err)
	}
	if v.Key.Reveal() != "hunter2" {
		t.Error("lost")
	}
}
