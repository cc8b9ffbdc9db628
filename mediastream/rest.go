package mediastream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Defaults of [RESTConfig].
const (
	DefaultRESTURL      = "https://api.twilio.com"
	DefaultRESTTimeout  = 5 * time.Second
	DefaultRESTPatience = 15 * time.Second
)

// maxAnswer bounds what is read of an answer; a call resource is 2 KiB.
const maxAnswer = 64 << 10

// RESTConfig says where a carrier's REST API is and who asks.
type RESTConfig struct {
	// BaseURL is the API's origin. Default DefaultRESTURL; a region's is like
	// https://api.dublin.ie1.twilio.com.
	BaseURL string
	// AccountSID is whose calls are controlled. Required.
	AccountSID string
	// APIKey and APISecret authorise. Without a key, AuthToken does.
	APIKey, APISecret string
	AuthToken         string

	// Timeout bounds one request. Default DefaultRESTTimeout.
	Timeout time.Duration
	// Patience bounds an operation with all its repetitions, where its context
	// does not end before. Default DefaultRESTPatience.
	Patience time.Duration
	// Transport carries the requests. Default: one of its own.
	Transport http.RoundTripper
}

// REST controls calls at the carrier. It is safe for concurrent use.
//
// What the carrier has not processed is asked for again with increasing pauses,
// until patience or the context ends: a refusal for the number of requests
// (429), and a connection that was never made. What it may have processed is
// repeated only where that does no harm. Credentials appear in no error.
type REST struct {
	account    string
	calls      string // URL of the account's calls, without .json
	user, pass string
	timeout    time.Duration
	patience   time.Duration
	client     http.Client
}

// NewREST returns a client. Errors name what is wrong with cfg.
func NewREST(cfg RESTConfig) (*REST, error) {
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultRESTURL
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultRESTTimeout
	}
	if cfg.Patience == 0 {
		cfg.Patience = DefaultRESTPatience
	}
	if cfg.Transport == nil {
		cfg.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: cfg.Timeout,
		}
	}
	var faults []error
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		// A URL may hold a password: it is not shown.
		faults = append(faults, errors.New("base URL: must be like "+DefaultRESTURL))
	}
	if cfg.AccountSID == "" {
		faults = append(faults, errors.New("no account SID"))
	}
	user, pass := cfg.APIKey, cfg.APISecret
	if user == "" {
		user, pass = cfg.AccountSID, cfg.AuthToken
	}
	if pass == "" {
		faults = append(faults, errors.New("no credentials: set an API key and its secret, or an auth token"))
	}
	if cfg.Timeout < 0 || cfg.Patience < 0 {
		faults = append(faults, fmt.Errorf("timeout %v, patience %v: must be positive", cfg.Timeout, cfg.Patience))
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("mediastream: rest: %w", errors.Join(faults...))
	}
	return &REST{
		account: cfg.AccountSID,
		calls:   strings.TrimSuffix(cfg.BaseURL, "/") + "/2010-04-01/Accounts/" + url.PathEscape(cfg.AccountSID) + "/Calls",
		user:    user, pass: pass,
		timeout: cfg.Timeout, patience: cfg.Patience,
		client: http.Client{
			Transport: cfg.Transport,
			// Credentials go where they were meant to go, nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// CloseIdleConnections closes the connections that are kept for later requests.
func (r *REST) CloseIdleConnections() { r.client.CloseIdleConnections() }

// opCreate is the operation that concerns no call that exists.
const opCreate = "create"

// request is one operation.
type request struct {
	op     string // for errors
	call   string // "": the list of calls, which only create adds to
	form   url.Values
	repeat bool // does no harm when processed twice
}

// do carries out an operation, repeating it as long as that is safe and makes
// sense.
func (r *REST) do(ctx context.Context, q request) (CallResource, error) {
	if q.call == "" && q.op != opCreate {
		return CallResource{}, fmt.Errorf("mediastream: rest: %s: no call", q.op)
	}
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	var call CallResource
	err := persist(ctx, r.patience, q.repeat, func() (err error) {
		call, err = r.once(ctx, q)
		return err
	})
	if err != nil {
		return CallResource{}, fmt.Errorf("mediastream: rest: %s: %w", q.op, err)
	}
	return call, nil
}

// once sends one request. Errors are RESTErrors.
func (r *REST) once(ctx context.Context, q request) (CallResource, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	target, method, body := r.calls+".json", http.MethodPost, io.Reader(strings.NewReader(q.form.Encode()))
	if q.call != "" {
		target = r.calls + "/" + url.PathEscape(q.call) + ".json"
	}
	if q.form == nil {
		method, body = http.MethodGet, nil
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return CallResource{}, &RESTError{Err: err}
	}
	req.SetBasicAuth(r.user, r.pass)
	req.Header.Set("Accept", "application/json")
	if q.form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, text, err := exchange(&r.client, req)
	switch {
	case err != nil:
		return CallResource{}, err
	case response.StatusCode/100 != 2:
		return CallResource{}, readRESTError(response, text)
	case len(text) > maxAnswer:
		return CallResource{}, &RESTError{Status: response.StatusCode, Err: fmt.Errorf("body: longer than %d bytes", maxAnswer)}
	}
	var call CallResource
	if err := json.Unmarshal(text, &call); err != nil {
		return CallResource{}, &RESTError{Status: response.StatusCode, Err: fmt.Errorf("body: %w", err)}
	}
	return call, nil
}

// retryAfter reads the header of that name, in seconds.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, 3600)) * time.Second
}
