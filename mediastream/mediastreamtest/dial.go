package mediastreamtest

import (
	"context"
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
	c := newCall(cfg, random)
	to, err := c.tongue.invite(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := c.connect(ctx, to); err != nil {
		return nil, err
	}
	if cfg.API != nil {
		cfg.API.adopt(c)
	}
	return c, nil
}

func newCall(cfg Config, random *rand.Rand) *Call {
	return &Call{
		cfg: cfg, tongue: tongueOf(cfg.Carrier), random: random, stream: sid("MZ", random),
		control: make(chan control, 8), done: make(chan struct{}),
	}
}

// connect opens the stream that TwiML asks for.
func connect(ctx context.Context, cfg Config, random *rand.Rand, to streamNoun) (*Call, error) {
	c := newCall(cfg, random)
	return c, c.connect(ctx, to.destination(&cfg))
}

// connect opens the stream, and begins it.
func (c *Call) connect(ctx context.Context, to destination) error {
	var err error
	if c.ws, err = open(ctx, &c.cfg, to); err != nil {
		return err
	}
	begin, err := c.tongue.begin(c, to.parameters)
	for i := 0; i < len(begin) && err == nil; i++ {
		err = c.write(begin[i])
	}
	if err != nil {
		_ = c.ws.Close() // the first error says it all
		return fmt.Errorf("mediastreamtest: start: %w: %w", media.LegFailed, err)
	}
	return nil
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
		return nil, &WebhookError{response.StatusCode, string(body)}
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
func open(ctx context.Context, cfg *Config, to destination) (*websocket.Conn, error) {
	streamURL := to.url
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
		here.Path, here.RawQuery = public.Path, public.RawQuery
		streamURL = here.String()
	}
	dialer := websocket.Dialer{NetDialContext: cfg.DialContext, HandshakeTimeout: 10 * time.Second}
	if to.subprotocol != "" {
		dialer.Subprotocols = []string{to.subprotocol}
	}
	ws, response, err := dialer.DialContext(ctx, streamURL, to.header)
	if errors.Is(err, websocket.ErrBadHandshake) {
		return nil, fmt.Errorf("mediastreamtest: 31920: %s: %w", response.Status, media.LegFailed)
	}
	if err != nil {
		return nil, fmt.Errorf("mediastreamtest: 31901: %w: %w", media.LegFailed, err)
	}
	if ws.Subprotocol() != to.subprotocol {
		_ = ws.Close() // the error says why
		return nil, fmt.Errorf("mediastreamtest: subprotocol %q, not %q: %w", ws.Subprotocol(), to.subprotocol, media.LegFailed)
	}
	ws.SetReadLimit(1 << 20)
	return ws, nil
}
