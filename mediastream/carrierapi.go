package mediastream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Origins of the APIs.
const (
	DefaultTelnyxURL = "https://api.telnyx.com"
	DefaultPlivoURL  = "https://api.plivo.com"
)

// CarrierAPIConfig says where a carrier's API is and who asks.
type CarrierAPIConfig struct {
	// URL is the API's origin. Default: the carrier's.
	URL string
	// Account is whose calls are controlled, if the carrier wants to know.
	Account string
	// Secret authorises.
	Secret string
	// Transport carries the requests. Default: one of its own.
	Transport http.RoundTripper
}

// CarrierAPI commands calls at a carrier whose API is not Twilio's. It is safe
// for concurrent use.
type CarrierAPI struct {
	request func(ctx context.Context, call, command, body string) (*http.Request, error)
	gone    func(status int, body []byte) bool
	client  http.Client
}

const (
	commandHangUp   = "hangup"
	commandTransfer = "transfer"
)

// NewTelnyxAPI returns Telnyx's Call Control.
func NewTelnyxAPI(cfg CarrierAPIConfig) *CarrierAPI {
	return newCarrierAPI(cfg.Transport,
		func(ctx context.Context, call, command, body string) (*http.Request, error) {
			target := below(cfg.URL, DefaultTelnyxURL, "v2", "calls", call, "actions", command)
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(body))
			if err == nil {
				r.Header.Set("Authorization", "Bearer "+cfg.Secret)
				r.Header.Set("Content-Type", "application/json")
			}
			return r, err
		},
		func(status int, body []byte) bool {
			var refusal struct {
				Errors []struct{ Code json.RawMessage }
			}
			if status == http.StatusUnprocessableEntity && json.Unmarshal(body, &refusal) == nil {
				for _, e := range refusal.Errors {
					if loose(e.Code) == "90018" { // the call has ended
						return true
					}
				}
			}
			return status == http.StatusNotFound
		},
	)
}

// NewPlivoAPI returns Plivo's call API, which hangs up and transfers.
func NewPlivoAPI(cfg CarrierAPIConfig) *CarrierAPI {
	return newCarrierAPI(
		cfg.Transport,
		func(ctx context.Context, call, command, body string) (*http.Request, error) {
			method := http.MethodPost
			switch command {
			case commandTransfer:
			case commandHangUp:
				method, body = http.MethodDelete, ""
			default:
				return nil, fmt.Errorf("%s: not known to this carrier", command)
			}
			target := below(cfg.URL, DefaultPlivoURL, "v1", "Account", cfg.Account, "Call", call) + "/"
			r, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
			if err == nil {
				r.SetBasicAuth(cfg.Account, cfg.Secret)
				r.Header.Set("Content-Type", "application/json")
			}
			return r, err
		},
		func(status int, _ []byte) bool { return status == http.StatusNotFound },
	)
}

func newCarrierAPI(transport http.RoundTripper, request func(ctx context.Context, call, command, body string) (*http.Request, error), gone func(int, []byte) bool) *CarrierAPI {
	if transport == nil {
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: 90 * time.Second}
	}
	return &CarrierAPI{
		request: request, gone: gone,
		client: http.Client{
			Timeout:   DefaultRESTTimeout,
			Transport: transport,
			// Credentials go where they were meant to go, nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// below returns the URL of a resource.
func below(origin, fallback string, segments ...string) string {
	if origin == "" {
		origin = fallback
	}
	for i := range segments {
		segments[i] = url.PathEscape(segments[i])
	}
	return strings.TrimSuffix(origin, "/") + "/" + strings.Join(segments, "/")
}

// HangUp ends a call. One that is gone counts as ended.
func (a *CarrierAPI) HangUp(ctx context.Context, call string) error {
	err := a.Command(ctx, call, commandHangUp, "{}")
	if errors.Is(err, errCallGone) {
		return nil
	}
	return err
}

var errCallGone = errors.New("the call has ended")

// Command sends a command with a body in JSON. It is repeated
// where that may help, until ctx ends: the body must make that harmless.
func (a *CarrierAPI) Command(ctx context.Context, call, command, body string) error {
	return a.send(ctx, call, command, body, true)
}

// CommandOnce is Command for what is not harmless twice: it is repeated only if
// the carrier was too busy. Errors may be a [RESTError].
func (a *CarrierAPI) CommandOnce(ctx context.Context, call, command, body string) error {
	return a.send(ctx, call, command, body, false)
}

func (a *CarrierAPI) send(ctx context.Context, call, command, body string, repeat bool) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = 200*time.Millisecond, 3*time.Second
	var latest error // says more than that time is up
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		latest = a.once(ctx, call, command, body)
		var refused *RESTError
		if latest != nil && !(errors.As(latest, &refused) && refused.retryable(repeat)) {
			return struct{}{}, backoff.Permanent(latest)
		}
		return struct{}{}, latest
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(DefaultRESTPatience))
	if err != nil {
		return fmt.Errorf("mediastream: %s: %w", command, errors.Join(latest, context.Cause(ctx)))
	}
	return nil
}

// once asks once. What may be repeated is a [RESTError].
func (a *CarrierAPI) once(ctx context.Context, call, command, body string) error {
	r, err := a.request(ctx, call, command, body)
	if err != nil {
		return err
	}
	response, err := a.client.Do(r)
	if err != nil {
		return &RESTError{Err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch status := response.StatusCode; {
	case status/100 == 2 && err == nil:
		return nil
	case err == nil && a.gone(status, text):
		return errCallGone
	default:
		return &RESTError{Status: status, Message: short(string(text)), Err: err}
	}
}

// CloseIdleConnections closes the connections that are kept for later requests.
func (a *CarrierAPI) CloseIdleConnections() { a.client.CloseIdleConnections() }
