package gateway_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/gateway"
)

func TestThePhoneIsServedIfItIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		keys   string
		status int
	}{
		{"token: secret", http.StatusNotFound},
		{"token: secret, phone: true", http.StatusOK},
	} {
		t.Run(c.keys, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "callgw.yaml")
			source := `{http: {listen: "127.0.0.1:0"}, admin: {listen: "127.0.0.1:0"}, media_streams: {generic: {` + c.keys + `}}}`
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
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- g.Run(ctx) }()
			defer func() {
				stop()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}()
			client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			response, err := client.Get(g.URL("http") + "/phone")
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != c.status {
				t.Errorf("status %d, want %d", response.StatusCode, c.status)
			}
			if url := g.PhoneURL(); strings.HasSuffix(url, "/phone") != (c.status == http.StatusOK) {
				t.Errorf("the phone is said to be at %q", url)
			}
		})
	}
}
