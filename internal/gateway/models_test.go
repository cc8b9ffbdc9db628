package gateway_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/gateway"
)

func TestModelsThatSpeakAndTranscribeAreWatched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "callgw.yaml")
	source := `
admin: {listen: "127.0.0.1:0"}
providers:
  first: {api_key: sk-1, model: speaks}
  second: {base_url: "wss://second.example.com/v1/realtime", api_key: sk-2, model: speaks-too}
agents:
  a: {provider: [first, second], session: {input_audio_transcription: listens}}
  b: {provider: first}
dialplan:
  - {when: {to: "1"}, agent: b, set: {session: {input_audio_transcription: listens-there}}}
  - {when: {to: "2"}, agent: b}
  - {agent: a, set: {session: {voice: cedar}}}
`
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
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
	got := map[string][]string{}
	for _, target := range g.Models() {
		got[target.Provider.Name+" "+target.Provider.APIKey] = target.Models
	}
	want := map[string][]string{
		"first sk-1":  {"listens", "listens-there", "speaks"},
		"second sk-2": {"listens", "speaks-too"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
