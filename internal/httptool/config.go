package httptool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Defaults of [Config].
const (
	DefaultTimeout     = 5 * time.Second
	DefaultMaxResponse = 16 << 10
)

// Config of a [Tool]. Whatever prints it shows the name alone.
type Config struct {
	// Name is the function's name, as the model calls it. Required.
	Name string
	// Method is GET, DELETE, POST, PUT or PATCH. Default POST.
	Method string
	// URL is absolute, http or https, and may have placeholders such as {city}
	// in its path and query. Required.
	URL string
	// Headers go with every request. Their values are secret.
	Headers map[string]string
	// Timeout bounds one attempt, the answer's body included. Default 5 s.
	Timeout time.Duration
	// Secret is the key of the signature. Without one, requests are not signed.
	Secret string
	// Parameters is the JSON Schema of the arguments. Without one, every object
	// will do.
	Parameters json.RawMessage
	// Idempotent says that the endpoint does a thing once however often it is
	// asked with the same Idempotency-Key, so that POST and PATCH may be retried.
	Idempotent bool
	// MaxResponse is how many bytes of an answer the model gets; the rest is cut
	// off, with a note. Default 16 KiB.
	MaxResponse int
	// Client sends the requests; its CheckRedirect is replaced in a copy.
	// Default: one on http.DefaultTransport.
	Client *http.Client
}

// Format writes the name, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "httptool "+c.Name) // fmt keeps the error
}

// withDefaults returns the configuration complete, or every fault in it.
func (c Config) withDefaults() (Config, error) {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if c.Name == "" {
		fault("name: empty: the model calls the tool by it")
	}
	if c.Method == "" {
		c.Method = http.MethodPost
	}
	switch c.Method {
	case http.MethodGet, http.MethodDelete, http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		fault("method: %q: use GET, DELETE, POST, PUT or PATCH", c.Method)
	}
	if c.Timeout < 0 {
		fault("timeout: %v: use a positive duration, or none for %v", c.Timeout, DefaultTimeout)
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxResponse < 0 {
		fault("max_response: %d: use a positive number of bytes, or none for %d", c.MaxResponse, DefaultMaxResponse)
	}
	if c.MaxResponse == 0 {
		c.MaxResponse = DefaultMaxResponse
	}
	for name, value := range c.Headers {
		if fix := headerFault(name, value); fix != "" {
			fault("headers: %q: %s", name, fix)
		}
	}
	if c.Client == nil {
		c.Client = &http.Client{}
	}
	return c, errors.Join(faults...)
}

// headerFault says what is wrong with a header, never showing its value.
func headerFault(name, value string) string {
	const token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" // RFC 9110 §5.6.2
	if name == "" || strings.Trim(name, token) != "" {
		return "not a header's name"
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }) {
		return "its value has a control character, such as a line's end: remove it" // RFC 9110 §5.5
	}
	switch canonical := http.CanonicalHeaderKey(name); {
	case strings.HasPrefix(canonical, "Callgw-"), canonical == idempotencyHeader,
		canonical == "Content-Length", canonical == "Transfer-Encoding", canonical == "Connection":
		return "set by the gateway: remove it"
	}
	return ""
}

// hasBody tells whether the arguments travel in a body.
func (c Config) hasBody() bool {
	return c.Method != http.MethodGet && c.Method != http.MethodDelete
}

// retriable tells whether a request may be sent twice (RFC 9110 §9.2.2).
func (c Config) retriable() bool {
	return c.Idempotent || c.Method == http.MethodGet || c.Method == http.MethodPut || c.Method == http.MethodDelete
}
