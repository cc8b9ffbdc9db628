package config_test

import (
	"encoding/base64"
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
  plivo: {auth_token: at, auth_id: MA1, lead: 1s}
  vonage: {signature_secret: ss}
  jambonz: {webhook_secret: ws}
  asterisk: {password: pw}
  generic: {token: gt}
dialplan: [{when: {leg: [asterisk, generic, telnyx]}, agent: assistant}, {agent: assistant}]
`)
	usual := config.StreamSettings{Validate: true, Lead: 300 * time.Millisecond}
	want := []config.StreamCarrier{
		{"signalwire", []string{"sk"}, usual},
		{"telnyx", []string{key}, usual},
		{"plivo", []string{"at"}, config.StreamSettings{Validate: true, Lead: time.Second}},
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
