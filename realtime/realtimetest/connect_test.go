package realtimetest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/callgw/callgw/realtime/realtimetest"
)

func TestConnecting(t *testing.T) {
	beta := http.Header{"OpenAI-Beta": {"realtime=v1"}}
	keyed := realtimetest.Config{Key: "sk-right"}
	tests := map[string]struct {
		cfg    realtimetest.Config
		header http.Header
		query  string
		code   string // of the error; empty: a session
		close  int
		beta   bool
	}{
		"GA":                              {query: "?model=any"},
		"GA transcription":                {query: "?intent=transcription"},
		"no model":                        {code: "missing_model", close: 4000},
		"Beta header on a GA server":      {header: beta, query: "?model=any", code: "beta_api_shape_disabled", close: 4000},
		"any Beta header on a GA server":  {header: http.Header{"OpenAI-Beta": {"x"}}, query: "?model=any", code: "beta_api_shape_disabled", close: 4000},
		"Beta":                            {cfg: realtimetest.Config{Dialects: realtimetest.BetaOnly}, header: beta, query: "?model=gpt-4o-realtime-preview", beta: true},
		"no header on a Beta server":      {cfg: realtimetest.Config{Dialects: realtimetest.BetaOnly}, query: "?model=any", code: "missing_beta_header", close: 4000, beta: true},
		"both, Beta":                      {cfg: realtimetest.Config{Dialects: realtimetest.Both}, header: beta, query: "?model=gpt-4o-realtime-preview", beta: true},
		"both, GA":                        {cfg: realtimetest.Config{Dialects: realtimetest.Both}, query: "?model=any"},
		"no key":                          {cfg: keyed, query: "?model=any", code: "invalid_api_key", close: 3000},
		"wrong key":                       {cfg: keyed, header: http.Header{"Authorization": {"Bearer sk-wrong"}}, query: "?model=any", code: "invalid_api_key", close: 3000},
		"bearer":                          {cfg: keyed, header: http.Header{"Authorization": {"Bearer sk-right"}}, query: "?model=any"},
		"api-key header":                  {cfg: keyed, header: http.Header{"Api-Key": {"sk-right"}}, query: "?model=any"},
		"subprotocol":                     {cfg: keyed, header: http.Header{"Sec-Websocket-Protocol": {"realtime, openai-insecure-api-key.sk-right"}}, query: "?model=any"},
		"a model that does not exist":     {cfg: realtimetest.Config{Models: []string{"m"}}, query: "?model=n", code: "model_not_found", close: 4004},
		"a model that exists":             {cfg: realtimetest.Config{Models: []string{"m"}}, query: "?model=m"},
		"bad key before a missing model":  {cfg: keyed, code: "invalid_api_key", close: 3000},
		"the header's name is not a case": {cfg: realtimetest.Config{Dialects: realtimetest.Both}, header: http.Header{"Openai-Beta": {"realtime=v1"}}, query: "?model=gpt-4o-realtime-preview", beta: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, test.cfg, func(t *testing.T, b *bench) {
				c := b.dial(t, test.header, test.query)
				if c.Beta != test.beta {
					t.Errorf("Beta %v, want %v", c.Beta, test.beta)
				}
				if test.code == "" {
					c.next("session.created")
					return
				}
				e := c.next("error")["error"].(map[string]any)
				if e["code"] != test.code {
					t.Errorf("error %v, want code %s", e, test.code)
				}
				if closed := c.closed(test.close); closed.Text != "invalid_request_error."+test.code {
					t.Errorf("close reason %q", closed.Text)
				}
				<-c.Done()
			})
		})
	}
}

func TestHandshakeFaults(t *testing.T) {
	cfg := realtimetest.Config{Fault: func(n int) realtimetest.Fault {
		return []realtimetest.Fault{
			{Refuse: http.StatusTooManyRequests},
			{HandshakeDelay: 3 * time.Second},
			{CreatedDelay: 4 * time.Second},
		}[n]
	}}
	bubble(t, cfg, func(t *testing.T, b *bench) {
		if _, resp, err := b.try(nil, "?model=m"); err == nil || resp.StatusCode != http.StatusTooManyRequests {
			t.Errorf("refused handshake: %v, %v", resp, err)
		}
		start := time.Now()
		b.dial(t, nil, "?model=m").next("session.created")
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("delayed handshake took %v, want 3s", d)
		}
		start = time.Now()
		c := b.dial(t, nil, "?model=m")
		c.send(`{"type":"input_audio_buffer.clear"}`)
		c.next("session.created", "input_audio_buffer.cleared")
		if d := time.Since(start); d != 4*time.Second {
			t.Errorf("delayed session.created took %v, want 4s", d)
		}
		if n, all := len(b.Sessions()), b.Handshakes(); n != 2 || all != 3 {
			t.Errorf("%d sessions of %d handshakes, want 2 of 3", n, all)
		}
	})
}
