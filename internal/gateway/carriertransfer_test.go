package gateway_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/gateway"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// office is a carrier's API that takes calls elsewhere.
type office interface {
	http.RoundTripper
	Wait()
	Violations() []string
}

// serveAPI serves a carrier's API until the test ends.
func serveAPI(t *testing.T, api office) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := api.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestATransferThatFailsComesBackToTheAgent lets carriers whose API is configured
// try to reach somebody who is busy: the agent has the caller again, and is told why.
func TestATransferThatFailsComesBackToTheAgent(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	secret := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	busy := func(mediastreamtest.Dialled) (string, time.Duration) { return "busy", 0 }
	vonage := &mediastreamtest.VonageAPI{Application: "app-1", Key: &key.PublicKey, Transfer: busy}
	jambonz := &mediastreamtest.JambonzAPI{Account: "acc-1", Key: "KEY1", Transfer: busy}
	for carrier, c := range map[mediastream.Carrier]struct {
		api  office
		keys string
		set  func(cfg *mediastreamtest.Config)
	}{
		mediastream.Vonage: {
			vonage, fmt.Sprintf("signature_secret: secret, application_id: app-1, private_key: %q", secret),
			func(cfg *mediastreamtest.Config) { cfg.Vonage = vonage },
		},
		mediastream.Jambonz: {
			jambonz, "webhook_secret: secret, account_sid: acc-1, api_key: KEY1",
			func(cfg *mediastreamtest.Config) { cfg.Jambonz = jambonz },
		},
	} {
		t.Run(string(carrier), func(t *testing.T) {
			t.Parallel() // they take as long as the agent speaks
			provider, err := realtimetest.Listen(realtimetest.Config{Key: "key", Pace: &realtimetest.Pace{}})
			if err != nil {
				t.Fatal(err)
			}
			defer provider.Close()
			path := filepath.Join(t.TempDir(), "callgw.yaml")
			source := fmt.Sprintf(`
http: {listen: "127.0.0.1:0", public_url: %q}
admin: {listen: "127.0.0.1:0"}
media_streams: {%s: {%s, rest_url: %q}}
providers: {model: {base_url: %q, api_key: key, model: any}}
agents: {reception: {provider: model}}
`, publicURL, carrier, c.keys, serveAPI(t, c.api), provider.URL)
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
			running, stop := context.WithCancel(t.Context())
			stopped := make(chan error, 1)
			go func() { stopped <- g.Run(running) }()
			defer func() {
				g.DrainNow()
				stop()
				if err := <-stopped; err != nil {
					t.Error(err)
				}
				c.api.Wait()
				for _, v := range c.api.Violations() {
					t.Error(v)
				}
			}()

			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			dial := mediastreamtest.Config{
				Carrier: carrier, WebhookURL: g.URL("http") + "/" + string(carrier) + "/voice", PublicURL: publicURL,
				From: "+14155550100", To: "+14155550123", AuthToken: "secret",
			}
			c.set(&dial)
			call, err := mediastreamtest.Dial(ctx, dial)
			if err != nil {
				t.Fatal(err)
			}
			ear := &phone{loud: make(chan struct{})}
			over := make(chan error, 1)
			go func() { over <- call.Run(ctx, ear, ear) }()
			select {
			case <-ear.loud:
			case <-ctx.Done():
				t.Fatal("no greeting was heard")
			}
			if err := g.Registry().Calls()[0].Transfer(ctx, "+14155550199"); err != nil {
				t.Fatal(err)
			}
			<-over
			s, err := provider.WaitSession(ctx, 1)
			if err != nil {
				t.Fatal(err)
			}
			told := func() bool {
				for _, e := range s.Events() {
					if !e.Sent && bytes.Contains(e.Raw, []byte("was transferred to +14155550199, but the line was busy")) {
						return true
					}
				}
				return false
			}
			if err := s.Wait(ctx, told); err != nil {
				t.Errorf("the agent was not told: %v", err)
			}
			if err := s.Wait(ctx, func() bool { return s.InputBytes() > 8000 }); err != nil {
				t.Errorf("the agent does not hear the caller: %v", err)
			}
		})
	}
}
