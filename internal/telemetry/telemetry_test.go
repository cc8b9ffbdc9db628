package telemetry_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/callgw/callgw/internal/telemetry"
)

func TestLogFormats(t *testing.T) {
	for _, c := range []struct{ name, format, want string }{
		{"auto away from a terminal", "", `"message":"hello"`},
		{"json", "json", `"message":"hello"`},
		{"console", "console", "INF hello"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			log, err := telemetry.NewLogger(telemetry.LogConfig{Format: c.format, Out: &out})
			if err != nil {
				t.Fatal(err)
			}
			log.Debug().Msg("hidden")
			log.Info().Msg("hello")
			if !strings.Contains(out.String(), c.want) || strings.Contains(out.String(), "hidden") {
				t.Errorf("logged %q, want %q in it", out.String(), c.want)
			}
		})
	}
}

func TestBadLogSettingsAreNamed(t *testing.T) {
	for _, c := range []struct {
		cfg  telemetry.LogConfig
		want string
	}{
		{telemetry.LogConfig{Level: "loud"}, `"loud"`},
		{telemetry.LogConfig{Level: "panic"}, `"panic"`},
		{telemetry.LogConfig{Format: "xml"}, `"xml"`},
	} {
		if _, err := telemetry.NewLogger(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one that names %s", c.cfg, err, c.want)
		}
	}
}

func TestTheRegistryTellsOfTheProcess(t *testing.T) {
	families, err := telemetry.NewRegistry().Gather()
	if err != nil || len(families) == 0 {
		t.Fatalf("%d families, %v", len(families), err)
	}
}
