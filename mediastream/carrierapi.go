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

// Origins of the APIs that hang up.
const (
	DefaultTelnyxURL = "https://api.telnyx.com"
	DefaultPlivoURL  = "https://api.plivo.com"
)

// CarrierAPI hangs up at a carrier whose API is not Twilio's. It is safe for
// concurrent use.
type CarrierAPI struct {
	request func(ctx context.Context, call string) (*http.Request, error)
	gone    func(status int, body []byte) bool
	client  http.Client
}

// NewTelnyxAPI returns Telnyx's Call Control; url "" is DefaultTelnyxURL.
func NewTelnyxAPI(url, key string) *CarrierAPI {
	return newCarrierAPI(
		func(ctx context.Context, call string) (*http.Request, error) {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, below(url, DefaultTelnyxURL, "v2", "calls", call, "actions", "hangup"), strings.NewReader("{}"))
			if err == nil {
				r.Header.Set("Authorization", "Bearer "+key)
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

// NewPlivoAPI returns Plivo's call API for an account; url "" is
// DefaultPlivoURL.
func NewPlivoAPI(url, account, token string) *CarrierAPI {
	return newCarrierAPI(
		func(ctx context.Context, call string) (*http.Request, error) {
			r, err := http.NewRequestWithContext(ctx, http.MethodDelete, below(url, DefaultPlivoURL, "v1", "Account", account, "Call", call)+"/", nil)
			if err == nil {
				r.SetBasicAuth(account, token)
			}
			return r, err
		},
		func(status int, _ []byte) bool { return status == http.StatusNotFound },
	)
}

func newCarrierAPI(request func(context.Context, string) (*http.Request, error), gone func(int, []byte) bool) *CarrierAPI {
	return &CarrierAPI{
		request: request, gone: gone,
		client: http.Client{
			Timeout:   DefaultRESTTimeout,
			Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: 90 * time.Second},
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

// HangUp ends a call: Config.HangUp. One that is gone counts as ended. What may
// pass is asked for again until ctx ends.
func (a *CarrierAPI) HangUp(ctx context.Context, call string) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = 200*time.Millisecond, 3*time.Second
	var latest error // says more than that time is up
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		var again bool
		if again, latest = a.once(ctx, call); latest != nil && !again {
			return struct{}{}, backoff.Permanent(latest)
		}
		return struct{}{}, latest
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(DefaultRESTPatience))
	if err != nil {
		return fmt.Errorf("mediastream: hang up: %w", errors.Join(latest, context.Cause(ctx)))
	}
	return nil
}

// once asks once; again: to do so once more may help.
func (a *CarrierAPI) once(ctx context.Context, call string) (again bool, err error) {
	r, err := a.request(ctx, call)
	if err != nil {
		return false, err
	}
	response, err := a.client.Do(r)
	if err != nil {
		return true, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch status := response.StatusCode; {
	case err != nil:
		return true, err
	case status/100 == 2 || a.gone(status, body):
		return false, nil
	default:
		return status == http.StatusTooManyRequests || status/100 == 5, fmt.Errorf("status %d: %s", status, short(string(body)))
	}
}

// CloseIdleConnections closes the connections that are kept for later requests.
func (a *CarrierAPI) CloseIdleConnections() { a.client.CloseIdleConnections() }
