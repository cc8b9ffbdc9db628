package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callgw/callgw/internal/config"
)

func TestWithoutAFileThePhoneIsForThisMachineAlone(t *testing.T) {
	for _, c := range []struct {
		name, variable, value string
		phone                 bool
	}{
		{"nothing is set", "", "", true},
		{"another port", "CALLGW_HTTP_LISTEN", "127.0.0.1:8081", true},
		{"an address that others reach", "CALLGW_HTTP_LISTEN", ":8080", false},
		{"a proxy in front", "CALLGW_PUBLIC_URL", "https://voice.example.com", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, _, err := config.Default(nothingBut(c.variable, c.value))
			if err != nil {
				t.Fatal(err)
			}
			g := cfg.MediaStreams.Generic
			if (g != nil) != c.phone {
				t.Fatalf("got %+v", g)
			}
			if c.phone && (!g.Phone || g.Validate || g.Lead == 0 || c.value != "" && string(cfg.HTTP.Listen) != c.value) {
				t.Errorf("got %+v at %s", g, cfg.HTTP.Listen)
			}
		})
	}
}

func TestAPhoneOfAFile(t *testing.T) {
	for _, c := range []struct{ name, http, generic, warning string }{
		{"behind a proxy", `{public_url: "https://voice.example.com"}`, `{token: secret, phone: true}`, ""},
		{"on this machine", `{listen: "127.0.0.1:8080"}`, `{phone: true, validate: false}`, ""},
		{"where browsers give no microphone", `{listen: ":8080"}`, `{token: secret, phone: true}`, "media_streams.generic.phone: browsers open the microphone"},
		{"where everybody gets in", `{public_url: "https://voice.example.com"}`, `{phone: true, validate: false}`, "media_streams.generic.validate: off: anyone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "callgw.yaml")
			if err := os.WriteFile(path, []byte("http: "+c.http+"\nmedia_streams: {generic: "+c.generic+"}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, warnings, err := config.Load(path, nothingBut("OPENAI_API_KEY", "key"))
			if err != nil {
				t.Fatal(err)
			}
			if !cfg.MediaStreams.Generic.Phone {
				t.Error("there is no phone")
			}
			if got := lines("", warnings); !strings.Contains(got, c.warning) || (got == "") != (c.warning == "") {
				t.Errorf("warnings: %s, want %q", got, c.warning)
			}
		})
	}
}
