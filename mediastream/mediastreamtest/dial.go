package mediastreamtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

// webhookTimeout is how long Twilio waits for TwiML.
const webhookTimeout = 15 * time.Second

// Dial places a call and returns when the gateway has answered it and the
// stream has begun. Errors wrap a media.Cause or are a [RejectedError].
func Dial(ctx context.Context, cfg Config) (*Call, error) {
	if cfg.Seed == 0 {
		cfg.Seed = rand.Uint64()
	}
	if cfg.DialContext == nil {
		cfg.DialContext = new(net.Dialer).DialContext
	}
	random := rand.New(rand.NewPCG(cfg.Seed, 0))
	if cfg.AccountSID == "" {
		cfg.AccountSID = "AC" + strings.Repeat("0", 32)
	}
	if cfg.CallSID == "" {
		cfg.CallSID = sid("CA", random)
	}
	twiml, err := webhook(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	answer, err := readTwiML(twiml)
	if err != nil {
		return nil, err
	}
	c, err := connect(ctx, cfg, random, answer.Connect.Stream)
	if err == nil && cfg.API != nil {
		cfg.API.adopt(c)
	}
	return c, err
}

// connect opens the stream that TwiML asks for.
func connect(ctx context.Context, cfg Config, random *rand.Rand, to streamNoun) (*Call, error) {
	c := &Call{
		cfg: cfg, random: random, stream: sid("MZ", random),
		control: make(chan control, 8), done: make(chan struct{}),
	}
	var err error
	if c.ws, err = open(ctx, &cfg, to.URL); err != nil {
		return nil, err
	}
	parameters := make(map[string]string)
	for _, p := range to.Parameter {
		parameters[p.Name] = p.Value
	}
	if err := c.begin(parameters); err != nil {
		_ = c.ws.Close() // the first error says it all
		return nil, fmt.Errorf("mediastreamtest: start: %w: %w", media.LegFailed, err)
	}
	return c, nil
}

// sid returns a carrier's id: two letters and 32 hexadecimal digits.
func sid(kind string, random *rand.Rand) string {
	return fmt.Sprintf("%s%016x%016x", kind, random.Uint64(), random.Uint64())
}

// webhook asks the gateway what to do with the call.
func webhook(ctx context.Context, cfg *Config) ([]byte, error) {
	form := url.Values{
		"CallSid": {cfg.CallSID}, "AccountSid": {cfg.AccountSID}, "ApiVersion": {"2010-04-01"},
		"From": {cfg.From}, "To": {cfg.To}, "Caller": {cfg.From}, "Called": {cfg.To},
		"CallStatus": {"ringing"}, "Direction": {"inbound"},
	}
	maps.Copy(form, cfg.Params)
	return post(ctx, cfg, cfg.WebhookURL, signedURL(cfg), form)
}

// post sends a signed request to target, which the gateway knows as signed, and
// returns what it answers.
func post(ctx context.Context, cfg *Config, target, signed string, form url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("mediastreamtest: webhook: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if cfg.AuthToken != "" {
		r.Header.Set("X-Twilio-Signature", mediastream.Sign(cfg.AuthToken, signed, form))
	}
	client := http.Client{Transport: &http.Transport{DialContext: cfg.DialContext, DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("mediastreamtest: webhook: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("mediastreamtest: webhook: %w", err)
	}
	if response.StatusCode/100 != 2 {
		return nil, fmt.Errorf("mediastreamtest: webhook: %s: %.100s: %w", response.Status, body, media.LegFailed)
	}
	return body, nil
}

// signedURL returns the webhook's URL as the gateway believes it was asked.
func signedURL(cfg *Config) string {
	if cfg.PublicURL == "" {
		return cfg.WebhookURL
	}
	u, err := url.Parse(cfg.WebhookURL)
	if err != nil {
		return cfg.WebhookURL // the request fails too
	}
	return strings.TrimSuffix(cfg.PublicURL, "/") + u.RequestURI()
}

// open opens the stream's socket.
func open(ctx context.Context, cfg *Config, streamURL string) (*websocket.Conn, error) {
	header := http.Header{}
	if cfg.AuthToken != "" {
		header.Set("X-Twilio-Signature", mediastream.Sign(cfg.AuthToken, streamURL, nil))
	}
	if cfg.PublicURL != "" {
		here, err := url.Parse(cfg.WebhookURL)
		if err != nil {
			return nil, fmt.Errorf("mediastreamtest: %w", err)
		}
		public, err := url.Parse(streamURL)
		if err != nil {
			return nil, fmt.Errorf("mediastreamtest: %w", err)
		}
		here.Scheme = "ws" + strings.TrimPrefix(here.Scheme, "http")
		here.Path = public.Path
		streamURL = here.String()
	}
	dialer := websocket.Dialer{NetDialContext: cfg.DialContext, HandshakeTimeout: 10 * time.Second}
	ws, response, err := dialer.DialContext(ctx, streamURL, header)
	if errors.Is(err, websocket.ErrBadHandshake) {
		return nil, fmt.Errorf("mediastreamtest: 31920: %s: %w", response.Status, media.LegFailed)
	}
	if err != nil {
		return nil, fmt.Errorf("mediastreamtest: 31901: %w: %w", media.LegFailed, err)
	}
	ws.SetReadLimit(1 << 20)
	return ws, nil
}

// begin sends connected and start.
func (c *Call) begin(parameters map[string]string) error {
	c.sequence++
	for _, m := range []any{
		map[string]any{"event": "connected", "protocol": "Call", "version": "1.0.0"},
		map[string]any{
			"event": "start", "sequenceNumber": "1", "streamSid": c.stream,
			"start": map[string]any{
				"accountSid": c.cfg.AccountSID, "streamSid": c.stream, "callSid": c.cfg.CallSID,
				"tracks": []string{"inbound"}, "customParameters": parameters,
				"mediaFormat": map[string]any{"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
			},
		},
	} {
		text, err := json.Marshal(m)
		if err != nil {
			return err
		}
		if err := c.write(text); err != nil {
			return err
		}
	}
	return nil
}
