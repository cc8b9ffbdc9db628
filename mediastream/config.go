package mediastream

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
)

// Defaults of [Config].
const (
	DefaultLead          = 300 * time.Millisecond
	MinLead              = 100 * time.Millisecond
	MaxLead              = 2 * time.Second
	DefaultTokenTTL      = 60 * time.Second
	DefaultAnswerTimeout = 10 * time.Second
	DefaultStartTimeout  = 10 * time.Second
	DefaultMediaTimeout  = 30 * time.Second
	DefaultWriteTimeout  = 5 * time.Second

	DefaultTransferTimeout = 30 * time.Second
)

// Config of a [Handler].
type Config struct {
	// Carrier is whose dialect is spoken. Default Twilio.
	Carrier Carrier
	// PublicURL is this server's origin, and path prefix if any, as the carrier
	// sees it: https://voice.example.com. Signatures are checked against it and
	// stream URLs are built from it; forwarding headers are never believed.
	// Required, but of Asterisk and Generic. With http the stream URL is ws,
	// which carriers refuse.
	PublicURL string
	// Validate demands that every request be signed.
	Validate bool
	// AuthTokens are the secrets that may have signed: primary, secondary. What
	// they are differs: Twilio's and Plivo's auth token, SignalWire's signing
	// key, Telnyx's public key, Vonage's signature secret, jambonz's webhook
	// secret. Of Asterisk and Generic they are what the peer shows to be let
	// in. Required if Validate.
	AuthTokens []string
	// AccountSID, if set, is the only account whose calls are taken.
	AccountSID string

	// Handler carries one call, from ringing to its end, and returns then.
	// It must call Run before Answer. Required.
	Handler func(ctx context.Context, s *Stream)
	// Say, if set, may return a sentence that the caller hears instead of a
	// busy tone when a call ends for this cause before its answer.
	Say func(cause media.Cause) string
	// REST, if set, controls calls at the carrier: transfers, calls out, and the
	// hang-up. Run closes its idle connections when it ends.
	REST *REST
	// API, if set, commands calls at a carrier that has another: it hangs up,
	// and Telnyx's Call Control takes it. Run closes its idle connections when
	// it ends.
	API *CarrierAPI
	// HangUp, if set, ends a call at the carrier, which then stops the stream.
	// Without it, or if it fails, closing the socket ends the call. Default:
	// REST's Complete, or API's HangUp.
	HangUp func(ctx context.Context, callSID string) error
	// Status, if set, is told of every status callback, but not of those that
	// another has overtaken.
	Status func(StatusEvent)

	// TransferTimeout is how long the target of a transfer may ring, up to 10
	// minutes. Default DefaultTransferTimeout.
	TransferTimeout time.Duration

	// Lead is how much audio is kept ahead of the caller's ear: what a lost
	// clear would still play. It is sent in pieces of a third of it, at most
	// 100 ms. Default DefaultLead, from MinLead to MaxLead.
	Lead time.Duration
	// TokenTTL is how long after the answer the stream may begin.
	// Default DefaultTokenTTL.
	TokenTTL time.Duration
	// AnswerTimeout is how long a webhook waits for its call's answer: less
	// than the 15 s that Twilio waits. Default DefaultAnswerTimeout.
	AnswerTimeout time.Duration
	// StartTimeout is how long a socket may take to begin.
	// Default DefaultStartTimeout.
	StartTimeout time.Duration
	// MediaTimeout is how long the carrier may say nothing at all, not even
	// echo a mark. Default DefaultMediaTimeout; negative means for ever.
	MediaTimeout time.Duration
	// WriteTimeout is how long one message may take to be written.
	// Default DefaultWriteTimeout.
	WriteTimeout time.Duration

	// Log is where faults go, at debug. The zero Logger logs nothing.
	Log zerolog.Logger
	// Metrics counts. Nil: nothing is counted.
	Metrics *Metrics
}

// origin returns the public URL without a trailing slash.
func (c *Config) origin() string { return strings.TrimSuffix(c.PublicURL, "/") }

// streamURL returns the WebSocket URL of a path.
func (c *Config) streamURL(path string) string {
	return "ws" + strings.TrimPrefix(c.origin(), "http") + path
}

func (c *Config) complete() error {
	var faults []error
	u, err := url.Parse(c.PublicURL)
	switch {
	case c.PublicURL == "" && (c.Carrier == Asterisk || c.Carrier == Generic): // which are not answered with a URL
	case err != nil:
		faults = append(faults, fmt.Errorf("public URL: %w", err))
	case u.Scheme != "https" && u.Scheme != "http" || !strings.HasPrefix(c.PublicURL, u.Scheme) || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		faults = append(faults, fmt.Errorf("public URL %q: must be like https://voice.example.com, as the carrier sees it", c.PublicURL))
	}
	if c.Validate && strings.Join(c.AuthTokens, "") == "" {
		faults = append(faults, errors.New("no auth token: set one, or turn validation off for tests"))
	}
	if c.Handler == nil {
		faults = append(faults, errors.New("no handler"))
	}
	for _, d := range []struct {
		name     string
		value    *time.Duration
		fallback time.Duration
	}{
		{"lead", &c.Lead, DefaultLead},
		{"token TTL", &c.TokenTTL, DefaultTokenTTL},
		{"answer timeout", &c.AnswerTimeout, DefaultAnswerTimeout},
		{"start timeout", &c.StartTimeout, DefaultStartTimeout},
		{"media timeout", &c.MediaTimeout, DefaultMediaTimeout},
		{"write timeout", &c.WriteTimeout, DefaultWriteTimeout},
		{"transfer timeout", &c.TransferTimeout, DefaultTransferTimeout},
	} {
		if *d.value == 0 {
			*d.value = d.fallback
		}
		if *d.value < 0 && d.value != &c.MediaTimeout {
			faults = append(faults, fmt.Errorf("%s %v: must be positive", d.name, *d.value))
		}
	}
	if c.TransferTimeout > 10*time.Minute {
		faults = append(faults, fmt.Errorf("transfer timeout %v: must be up to 10m", c.TransferTimeout))
	}
	if c.Lead < MinLead || c.Lead > MaxLead {
		faults = append(faults, fmt.Errorf("lead %v: must be from %v to %v", c.Lead, MinLead, MaxLead))
	}
	switch {
	case c.HangUp != nil:
	case c.REST != nil:
		c.HangUp = c.REST.Complete
	case c.API != nil:
		c.HangUp = c.API.HangUp
	}
	if c.Metrics == nil {
		m, err := NewMetrics(nil)
		if err != nil {
			return err
		}
		c.Metrics = m
	}
	if len(faults) > 0 {
		return fmt.Errorf("mediastream: %w", errors.Join(faults...))
	}
	return nil
}
