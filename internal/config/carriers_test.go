package config_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/internal/config"
)

func TestCarriersBesideTwilio(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	c := load(t, `
http: {public_url: https://voice.example.com}
media_streams:
  signalwire: {signing_key: sk, space: example.signalwire.com, project: p, api_token: t}
  telnyx: {public_key: `+key+`}
  plivo: {auth_token: at, auth_id: MA1, lead: 1s, media_timeout: 2m}
  vonage: {signature_secret: ss}
  jambonz: {webhook_secret: ws}
  asterisk: {password: pw}
  generic: {token: gt}
dialplan: [{when: {leg: [asterisk, generic, telnyx]}, agent: assistant}, {agent: assistant}]
`)
	usual := config.StreamSettings{Validate: true, Lead: 300 * time.Millisecond, MediaTimeout: 30 * time.Second}
	want := []config.StreamCarrier{
		{"signalwire", []string{"sk"}, usual},
		{"telnyx", []string{key}, usual},
		{"plivo", []string{"at"}, config.StreamSettings{Validate: true, Lead: time.Second, MediaTimeout: 2 * time.Minute}},
		{"vonage", []string{"ss"}, usual},
		{"jambonz", []string{"ws"}, usual},
		{"asterisk", []string{"pw"}, usual},
		{"generic", []string{"gt"}, usual},
	}
	if diff := cmp.Diff(want, c.MediaStreams.Carriers()); diff != "" {
		t.Error(diff)
	}
	if !c.MediaStreams.SignalWire.Controls() {
		t.Error("calls of SignalWire cannot be controlled")
	}
}

func TestPeersWithoutAWebhookNeedNoPublicURL(t *testing.T) {
	load(t, "media_streams: {asterisk: {password: pw}, generic: {token: gt}}\n")
}

func TestThePrivateKeyOfVonage(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	path := filepath.Join(t.TempDir(), "private.key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const head = "http: {public_url: https://voice.example.com}\nmedia_streams: {vonage: {signature_secret: s, "
	for name, written := range map[string]string{"inline": strconv.Quote(text), "a file": `"${file:` + path + `}"`} {
		v := load(t, head+"application_id: app, private_key: "+written+"}}\n").MediaStreams.Vonage
		if !v.Controls() || strings.TrimSpace(v.PrivateKey.Reveal()) != strings.TrimSpace(text) {
			t.Errorf("%s: the key is not the one that was written", name)
		}
	}
}
