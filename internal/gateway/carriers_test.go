package gateway_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/gateway"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

const publicURL = "https://voice.example.com"

// phone says nothing, and closes loud when it hears something.
type phone struct {
	loud chan struct{}
	once sync.Once
}

func (p *phone) Frame(audio []byte) {
	for _, b := range audio {
		if b != 0xFF && b != 0x7F {
			p.once.Do(func() { close(p.loud) })
			return
		}
	}
}

func (p *phone) Digit(media.Digit)      {}
func (p *phone) Hold(bool)              {}
func (p *phone) Next([]byte) int        { return 0 }
func (p *phone) Ready() <-chan struct{} { return nil }
func (p *phone) Heard(int64)            {}

// TestEveryCarrierReachesTheAgent calls the gateway as each carrier does: the
// caller hears the greeting, and the call's leg has the carrier's name.
func TestEveryCarrierReachesTheAgent(t *testing.T) {
	seed := make([]byte, ed25519.SeedSize)
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	path := filepath.Join(t.TempDir(), "callgw.yaml")
	source := fmt.Sprintf(`
http: {listen: "127.0.0.1:0", public_url: %q}
admin: {listen: "127.0.0.1:0"}
sip: {listen: ["udp://127.0.0.1:0"]}
media_streams:
  twilio: {auth_token: secret}
  signalwire: {signing_key: secret}
  telnyx: {public_key: %q}
  plivo: {auth_token: secret}
  vonage: {signature_secret: secret}
  jambonz: {webhook_secret: secret}
  asterisk: {password: secret}
  generic: {token: secret}
`, publicURL, base64.StdEncoding.EncodeToString(public))
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := config.Load(path, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	legs := make(chan string, 100)
	g, err := gateway.New(cfg, gateway.Options{
		Log: zerolog.Nop(),
		Observe: func(f bridge.Facts, e bridge.Event) {
			if e.Name == bridge.EventAnswered {
				legs <- f.Leg
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	for _, carrier := range mediastream.Carriers() {
		t.Run(string(carrier), func(t *testing.T) {
			dial := mediastreamtest.Config{
				Carrier: carrier, WebhookURL: g.URL("http") + "/" + string(carrier) + "/voice", PublicURL: publicURL,
				From: "+14155550100", To: "+14155550123", AuthToken: "secret",
			}
			switch carrier {
			case mediastream.Telnyx:
				dial.AuthToken = base64.StdEncoding.EncodeToString(seed)
			case mediastream.Asterisk, mediastream.Generic:
				dial.WebhookURL, dial.PublicURL = g.URL("http")+"/"+string(carrier)+"/media", ""
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
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
				t.Error("no greeting was heard")
			}
			if err := call.Hangup(ctx, media.CallerHungUp); err != nil {
				t.Error(err)
			}
			<-over
			if got := <-legs; got != string(carrier) {
				t.Errorf("the leg is %q", got)
			}
			if v := call.Violations(); v != nil {
				t.Error(v)
			}
		})
	}
	stop()
	g.DrainNow()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
