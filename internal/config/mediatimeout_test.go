package config_test

import (
	"testing"
	"time"
)

func TestMediaTimeouts(t *testing.T) {
	const rest = `
http: {public_url: https://voice.example.com}
agents: {a: {session: {instructions: x}}}
`
	for _, test := range []struct {
		name, yaml  string
		sip, stream time.Duration
	}{
		{"as usual", "sip: {trunks: {t: {from: 127.0.0.1}}}\nmedia_streams: {twilio: {auth_token: x}}", 30 * time.Second, 30 * time.Second},
		{"longer", "sip: {media_timeout: 5m, trunks: {t: {from: 127.0.0.1}}}\nmedia_streams: {twilio: {auth_token: x, media_timeout: 1m}}", 5 * time.Minute, time.Minute},
		{"never", "sip: {media_timeout: 0s, trunks: {t: {from: 127.0.0.1}}}\nmedia_streams: {twilio: {auth_token: x, media_timeout: 0s}}", 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := load(t, test.yaml+rest)
			if c.SIP.MediaTimeout != test.sip || c.MediaStreams.Twilio.MediaTimeout != test.stream {
				t.Errorf("%v and %v", c.SIP.MediaTimeout, c.MediaStreams.Twilio.MediaTimeout)
			}
		})
	}
}
