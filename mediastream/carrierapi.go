package mediastream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
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
// for concurrent use, and asks again what a [REST] would.
type CarrierAPI struct {
	dialect apiDialect
	client  http.Client
}

// apiDialect is how a carrier is commanded.
type apiDialect struct {
	request func(ctx context.Context, c apiCommand) (*http.Request, error)
	// gone tells that a refusal means that the call has ended.
	gone func(status int, body []byte) bool
}

// apiCommand is what a call is to do.
type apiCommand struct {
	account string // whose call it is, where the carrier tells
	call    string
	name    string
	body    string
}

// Names of commands that are not the carrier's own.
const (
	commandHangUp   = "hangup"
	commandTransfer = "transfer"
	commandTeXML    = "texml" // Telnyx's: go on with other TeXML
)

// NewTelnyxAPI returns Telnyx's Call Control, and its TeXML commands.
func NewTelnyxAPI(cfg CarrierAPIConfig) *CarrierAPI {
	return newCarrierAPI(cfg.Transport, apiDialect{
		request: func(ctx context.Context, c apiCommand) (*http.Request, error) {
			if c.name == commandTeXML {
				target := below(cfg.URL, DefaultTelnyxURL, "v2", "texml", "Accounts", c.account, "Calls", c.call)
				r, err := bearing(ctx, http.MethodPost, target, cfg.Secret, c.body)
				if err == nil {
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				}
				return r, err
			}
			target := below(cfg.URL, DefaultTelnyxURL, "v2", "calls", c.call, "actions", c.name)
			return bearing(ctx, http.MethodPost, target, cfg.Secret, c.body)
		},
		gone: func(status int, body []byte) bool {
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
	})
}

// bearing returns a request with a bearer token and a body in JSON.
func bearing(ctx context.Context, method, target, token, body string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err == nil {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
	}
	return r, err
}

// notFound tells of calls that are gone by HTTP's own status.
func notFound(status int, _ []byte) bool { return status == http.StatusNotFound }

// errUnknownCommand is for commands that a carrier does not have.
func errUnknownCommand(c apiCommand) error {
	return fmt.Errorf("%s: not known to this carrier", c.name)
}

// NewPlivoAPI returns Plivo's call API, which hangs up and transfers.
func NewPlivoAPI(cfg CarrierAPIConfig) *CarrierAPI {
	return newCarrierAPI(cfg.Transport, apiDialect{
		request: func(ctx context.Context, c apiCommand) (*http.Request, error) {
			method := http.MethodPost
			switch c.name {
			case commandTransfer:
			case commandHangUp:
				method, c.body = http.MethodDelete, ""
			default:
				return nil, errUnknownCommand(c)
			}
			target := below(cfg.URL, DefaultPlivoURL, "v1", "Account", cfg.Account, "Call", c.call) + "/"
			r, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(c.body))
			if err == nil {
				r.SetBasicAuth(cfg.Account, cfg.Secret)
				r.Header.Set("Content-Type", "application/json")
			}
			return r, err
		},
		gone: notFound,
	})
}

func newCarrierAPI(transport http.RoundTripper, dialect apiDialect) *CarrierAPI {
	if transport == nil {
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: 90 * time.Second}
	}
	return &CarrierAPI{
		dialect: dialect,
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
	return a.send(ctx, apiCommand{call: call, name: command, body: body}, true)
}

// send carries out a command. Unless it may be repeated, it is asked for again
// only if the carrier cannot have obeyed. Errors may be a [RESTError].
func (a *CarrierAPI) send(ctx context.Context, c apiCommand, repeat bool) error {
	err := persist(ctx, DefaultRESTPatience, repeat, func() error { return a.once(ctx, c) })
	if err != nil {
		return fmt.Errorf("mediastream: %s: %w", c.name, err)
	}
	return nil
}

// once asks once. What may be repeated is a [RESTError].
func (a *CarrierAPI) once(ctx context.Context, c apiCommand) error {
	r, err := a.dialect.request(ctx, c)
	if err != nil {
		return err
	}
	response, text, err := exchange(&a.client, r)
	switch {
	case err != nil:
		return err
	case response.StatusCode/100 == 2:
		return nil
	case a.dialect.gone(response.StatusCode, text):
		return errCallGone
	}
	return &RESTError{Status: response.StatusCode, Message: short(string(text)), after: retryAfter(response.Header)}
}

// CloseIdleConnections closes the connections that are kept for later requests.
func (a *CarrierAPI) CloseIdleConnections() { a.client.CloseIdleConnections() }
