package gateway_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/internal/admin"
	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/gateway"
)

// A carrier of media streams calls from a number of its account: who names none has
// asked wrongly, and nobody else is to blame.
func TestACallOutByACarrierNeedsItsNumber(t *testing.T) {
	path := filepath.Join(t.TempDir(), "callgw.yaml")
	source := `
http: {listen: "127.0.0.1:0", public_url: "https://voice.example.com"}
admin: {listen: "127.0.0.1:0"}
media_streams: {twilio: {account_sid: AC00000000000000000000000000000000, auth_token: secret, rest_url: "http://127.0.0.1:1"}}
providers: {local: {base_url: "ws://127.0.0.1:1", api_key: none, model: any}}
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
	_, err = g.Call(t.Context(), admin.Outbound{To: "+14155550177"})
	if !errors.Is(err, admin.ErrRequest) || !strings.Contains(err.Error(), "from is missing") {
		t.Errorf("Call() = %v", err)
	}
}
