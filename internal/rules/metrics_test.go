package rules_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/gateway"
)

// everything is a gateway with all of its parts, on ports of its own choice.
const everything = `
http: {listen: "127.0.0.1:0", public_url: https://voice.example.com}
admin: {listen: "127.0.0.1:0"}
sip:
  listen: ["udp://127.0.0.1:0"]
  trunks: {carrier: {from: [127.0.0.1]}}
media_streams: {twilio: {auth_token: token}}
`

// TestEverySeriesIsDocumented compares what a gateway registers with
// docs/metrics.md, both ways, labels included.
func TestEverySeriesIsDocumented(t *testing.T) {
	path := filepath.Join(t.TempDir(), "callgw.yaml")
	if err := os.WriteFile(path, []byte(everything), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := config.Load(path, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(cfg, gateway.Options{Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()

	documented := map[string]string{}
	for name, cells := range rows(read(t, "docs/metrics.md")) {
		documented[name] = cells[0]
	}
	if diff := cmp.Diff(registered(t, g), documented); diff != "" {
		t.Errorf("the gateway (-) and docs/metrics.md (+) differ:\n%s", diff)
	}
}

var description = regexp.MustCompile(`fqName: "(callgw_[a-z_]+)".*variableLabels: \{([^{}]*)\}\}$`)

// registered returns the labels of each series of a gateway.
func registered(t *testing.T, g *gateway.Gateway) map[string]string {
	t.Helper()
	collector, ok := g.Metrics().(prometheus.Collector)
	if !ok {
		t.Fatal("the registry does not describe itself")
	}
	ch := make(chan *prometheus.Desc)
	go func() {
		defer close(ch)
		collector.Describe(ch)
	}()
	series := map[string]string{}
	for desc := range ch {
		if match := description.FindStringSubmatch(desc.String()); match != nil {
			series[match[1]] = strings.ReplaceAll(match[2], ",", ", ")
		}
	}
	return series
}
