package mediastream_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

const (
	streamSID = "MZ0123456789abcdef0123456789abcdef"
	callSID   = "CA0123456789abcdef0123456789abcdef"
	connected = `{"event":"connected","protocol":"Call","version":"1.0.0"}`
)

// startMessage returns a start message; edits are pairs of old and new text.
func startMessage(token string, edits ...string) string {
	text := `{"event":"start","sequenceNumber":"1","streamSid":"` + streamSID + `","start":{"accountSid":"` + account +
		`","streamSid":"` + streamSID + `","callSid":"` + callSID + `","tracks":["inbound"],"customParameters":{"t":"` + token +
		`"},"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}`
	return strings.NewReplacer(edits...).Replace(text)
}

// ring sends a call's webhook and returns its response and body.
func (g *gateway) ring(t *testing.T, form url.Values) (status int, body string) {
	t.Helper()
	return g.post(t, "/twilio/voice", form, func(r *http.Request) {
		r.Header.Set("X-Twilio-Signature", mediastream.Sign(token, public+r.URL.RequestURI(), form))
	})
}

func (g *gateway) post(t *testing.T, path string, form url.Values, edit func(*http.Request)) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://gateway.test"+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	edit(r)
	return g.do(t, r)
}

func (g *gateway) do(t *testing.T, r *http.Request) (status int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: g.net.DialContext, DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var b strings.Builder
	if err := response.Write(&b); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(b.String(), "\r\n\r\n")
	return response.StatusCode, text
}

func callForm() url.Values {
	return url.Values{"CallSid": {callSID}, "AccountSid": {account}, "From": {"+14155550100"}, "To": {"+14155550123"}, "CallStatus": {"ringing"}}
}

// tokenOf returns the token that TwiML carries.
func tokenOf(t *testing.T, twiml string) string {
	t.Helper()
	_, rest, ok := strings.Cut(twiml, `name="t" value="`)
	token, _, ok2 := strings.Cut(rest, `"`)
	if !ok || !ok2 {
		t.Fatalf("no token in %s", twiml)
	}
	return token
}

// open opens a socket.
func (g *gateway) open(t *testing.T) *websocket.Conn {
	t.Helper()
	ws, response, err := g.tryOpen(t, mediastream.Sign(token, "wss://voice.example.com/twilio/media", nil))
	if err != nil {
		t.Fatalf("%v: %+v", err, response)
	}
	return ws
}

func (g *gateway) tryOpen(t *testing.T, signature string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	dialer := websocket.Dialer{NetDialContext: g.net.DialContext}
	return dialer.DialContext(t.Context(), "ws://gateway.test/twilio/media", http.Header{"x-twilio-signature": {signature}})
}

func send(t *testing.T, ws *websocket.Conn, kind int, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := ws.WriteMessage(kind, []byte(text)); err != nil {
			t.Errorf("write: %v", err)
		}
	}
}

// closedWith reads until the gateway closes and returns its code.
func closedWith(t *testing.T, ws *websocket.Conn) int {
	t.Helper()
	defer ws.Close()
	for {
		_, _, err := ws.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			return closed.Code
		}
		if err != nil {
			t.Errorf("read: %v", err)
			return 0
		}
	}
}

// counted returns the value of a counter with one label.
func counted(t *testing.T, reg *prometheus.Registry, name, reason string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Errorf("no series %s{%s}", name, reason)
	return 0
}

func newMetrics(t *testing.T) (*mediastream.Metrics, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	m, err := mediastream.NewMetrics(reg)
	if err != nil {
		t.Fatal(err)
	}
	return m, reg
}

func TestSocketsThatBeginWronglyAreClosed(t *testing.T) {
	const media8K = `{"event":"media","media":{"payload":"/v8="}}`
	for name, tt := range map[string]struct {
		kind   int
		texts  func(token string) []string
		code   int
		reason string
		cause  media.Cause // of the stream; zero: it goes on waiting
	}{
		"an unknown token": {
			texts: func(string) []string { return []string{connected, startMessage("guess")} },
			code:  1008, reason: "bad_token",
		},
		"no token": {
			texts: func(string) []string { return []string{connected, startMessage("", `"t":""`, ``)} },
			code:  1008, reason: "bad_token",
		},
		"another call": {
			texts: func(token string) []string { return []string{connected, startMessage(token, "CA0", "CA1")} },
			code:  1008, reason: "foreign_call", cause: media.LegFailed,
		},
		"another account": {
			texts: func(token string) []string { return []string{connected, startMessage(token, "AC0", "AC1")} },
			code:  1008, reason: "foreign_call", cause: media.LegFailed,
		},
		"a format that would need transcoding": {
			texts: func(token string) []string { return []string{connected, startMessage(token, "8000", "16000")} },
			code:  1003, reason: "format", cause: media.NotAcceptable,
		},
		"start without connected": {
			texts: func(token string) []string { return []string{startMessage(token)} },
			code:  1002, reason: "unexpected_message",
		},
		"media before start": {
			texts: func(string) []string { return []string{connected, media8K} },
			code:  1002, reason: "unexpected_message",
		},
		"not JSON": {
			texts: func(string) []string { return []string{connected, "hello"} },
			code:  1007, reason: "malformed",
		},
		"a binary frame": {
			kind:  websocket.BinaryMessage,
			texts: func(string) []string { return []string{connected} },
			code:  1003, reason: "binary_frame",
		},
		"more than 64 KiB": {
			texts: func(string) []string { return []string{`{"event":"` + strings.Repeat("x", 64<<10) + `"}`} },
			code:  1009, reason: "oversize",
		},
		"nothing": {
			texts: func(string) []string { return []string{connected, `{"event":"weather"}`} },
			code:  1008, reason: "no_start",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				metrics, reg := newMetrics(t)
				g := newGateway(t, mediastream.Config{Metrics: metrics, Handler: answer(&ear{}, newMouth(), nil, ended)})
				_, twiml := g.ring(t, callForm())
				ws := g.open(t)
				kind := tt.kind
				if kind == 0 {
					kind = websocket.TextMessage
				}
				go send(t, ws, kind, tt.texts(tokenOf(t, twiml))...)
				if code := closedWith(t, ws); code != tt.code {
					t.Errorf("closed with %d, want %d", code, tt.code)
				}
				if tt.cause != 0 {
					if err := <-ended; !errors.Is(err, tt.cause) {
						t.Errorf("stream ended with %v, want %v", err, tt.cause)
					}
				} else {
					select {
					case err := <-ended:
						t.Errorf("stream ended with %v", err)
					default:
					}
					if err := <-ended; !errors.Is(err, media.NoAnswer) {
						t.Errorf("stream ended with %v after its token", err)
					}
				}
				if n := counted(t, reg, "callgw_mediastream_faults_total", tt.reason); n != 1 {
					t.Errorf("counted %v times", n)
				}
			})
		})
	}
}

func TestStreamsThatGoWrongAreClosed(t *testing.T) {
	for name, tt := range map[string]struct {
		kind   int
		text   string
		code   int
		reason string
	}{
		"a second start":        {websocket.TextMessage, startMessage("x"), 1002, "unexpected_message"},
		"a second connected":    {websocket.TextMessage, connected, 1002, "unexpected_message"},
		"another stream":        {websocket.TextMessage, `{"event":"media","streamSid":"MZ1","media":{"payload":"/v8="}}`, 1002, "foreign_stream"},
		"a binary frame":        {websocket.BinaryMessage, "\xff\xff", 1003, "binary_frame"},
		"not JSON":              {websocket.TextMessage, `{"event":"media"`, 1007, "malformed"},
		"a message of 1 MB":     {websocket.TextMessage, `{"event":"` + strings.Repeat("x", 1<<20) + `"}`, 1009, "oversize"},
		"text that is not text": {websocket.TextMessage, "\"\xff\"", 1007, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				metrics, reg := newMetrics(t)
				g := newGateway(t, mediastream.Config{Metrics: metrics, Handler: answer(&ear{}, newMouth(), nil, ended)})
				ws := g.begin(t)
				// A gateway that does not read on must not hold us.
				go func() { _ = ws.WriteMessage(tt.kind, []byte(tt.text)) }()
				if code := closedWith(t, ws); code != tt.code {
					t.Errorf("closed with %d, want %d", code, tt.code)
				}
				if err := <-ended; !errors.Is(err, media.LegFailed) {
					t.Errorf("stream ended with %v", err)
				}
				if n := counted(t, reg, "callgw_mediastream_faults_total", tt.reason); n != 1 {
					t.Errorf("counted %v times", n)
				}
			})
		})
	}
}

// begin places a call by hand and returns its socket.
func (g *gateway) begin(t *testing.T) *websocket.Conn {
	t.Helper()
	_, twiml := g.ring(t, callForm())
	ws := g.open(t)
	send(t, ws, websocket.TextMessage, connected, startMessage(tokenOf(t, twiml)))
	return ws
}

func TestATokenWorksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		g := newGateway(t, mediastream.Config{Handler: answer(&ear{}, newMouth(), nil, ended)})
		_, twiml := g.ring(t, callForm())
		first := g.open(t)
		begin := []string{connected, startMessage(tokenOf(t, twiml))}
		send(t, first, websocket.TextMessage, begin...)
		synctest.Wait() // until the token is spent
		second := g.open(t)
		go send(t, second, websocket.TextMessage, begin...)
		if code := closedWith(t, second); code != websocket.ClosePolicyViolation {
			t.Errorf("the replay was closed with %d", code)
		}
		select {
		case err := <-ended:
			t.Errorf("the replay ended the call: %v", err)
		default:
		}
		send(t, first, websocket.TextMessage, `{"event":"stop","streamSid":"`+streamSID+`","stop":{}}`)
		if code := closedWith(t, first); code != websocket.CloseNormalClosure {
			t.Errorf("the call was closed with %d", code)
		}
		if err := <-ended; !errors.Is(err, media.CallerHungUp) {
			t.Errorf("the call ended with %v", err)
		}
	})
}

func TestUpgradesMustBeSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics, reg := newMetrics(t)
		g := newGateway(t, mediastream.Config{Metrics: metrics, Handler: func(context.Context, *mediastream.Stream) {}})
		for _, signature := range []string{
			"", "AAAA", mediastream.Sign("guess", "wss://voice.example.com/twilio/media", nil),
			mediastream.Sign(token, "https://voice.example.com/twilio/media", nil),
			mediastream.Sign(token, "ws://gateway.test/twilio/media", nil),
		} {
			ws, response, err := g.tryOpen(t, signature)
			if err == nil {
				_ = ws.Close()
				t.Errorf("signature %q was accepted", signature)
			} else if response.StatusCode != http.StatusForbidden {
				t.Errorf("signature %q: %s", signature, response.Status)
			}
		}
		if n := counted(t, reg, "callgw_mediastream_rejected_total", "signature"); n != 5 {
			t.Errorf("%v counted", n)
		}
		// Whoever speaks no WebSocket is told so.
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://gateway.test/twilio/media", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Twilio-Signature", mediastream.Sign(token, "wss://voice.example.com/twilio/media", nil))
		if status, _ := g.do(t, r); status != http.StatusBadRequest {
			t.Errorf("without an upgrade: %d", status)
		}
	})
}

func TestFaultyMessagesCostThemselvesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up, ended := &ear{}, make(chan error, 1)
		metrics, reg := newMetrics(t)
		g := newGateway(t, mediastream.Config{Metrics: metrics, Handler: answer(up, newMouth(), nil, ended)})
		ws := g.begin(t)
		go func() { _ = closedWith(t, ws) }()
		in := func(event string, body any) {
			text, err := json.Marshal(map[string]any{"event": event, "streamSid": streamSID, event: body})
			if err != nil {
				t.Fatal(err)
			}
			send(t, ws, websocket.TextMessage, string(text))
		}
		in("media", map[string]any{"timestamp": 0, "payload": "/v8="})
		in("media", map[string]any{"timestamp": 0, "payload": "=="})
		in("media", map[string]any{"timestamp": 0})
		in("media", map[string]any{"timestamp": 0, "payload": "AAAA", "track": "outbound"})
		in("dtmf", map[string]any{"digit": "5"})
		in("dtmf", map[string]any{"digit": "a"})
		in("dtmf", map[string]any{"digit": "55"})
		in("dtmf", map[string]any{})
		in("mark", map[string]any{"name": "my label"})
		in("mark", map[string]any{"name": "g7.77"})
		in("weather", map[string]any{"sky": "blue"})
		in("media", map[string]any{"timestamp": 1, "payload": "AQ=="})
		in("stop", map[string]any{})
		if err := <-ended; !errors.Is(err, media.CallerHungUp) {
			t.Errorf("ended with %v", err)
		}
		if got := up.heard(); string(got) != "\xfe\xff\x01" {
			t.Errorf("heard %x", got)
		}
		if len(up.digits) != 2 || up.digits[0] != '5' || up.digits[1] != 'A' {
			t.Errorf("digits %v", up.digits)
		}
		if n := counted(t, reg, "callgw_mediastream_faults_total", "bad_payload"); n != 2 {
			t.Errorf("%v payloads counted", n)
		}
		if n := counted(t, reg, "callgw_mediastream_faults_total", "bad_digit"); n != 2 {
			t.Errorf("%v digits counted", n)
		}
		time.Sleep(time.Second) // the socket's last words
	})
}
