package mediastreamtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/callgw/callgw/bridge/media"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// request asks the gateway's webhook and returns what it answers.
func request(ctx context.Context, cfg *Config, contentType, body string, header http.Header) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, cfg.WebhookURL, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("mediastreamtest: webhook: %w", err)
	}
	for name, values := range header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	r.Header.Set("Content-Type", contentType)
	client := http.Client{Transport: &http.Transport{DialContext: cfg.DialContext, DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("mediastreamtest: webhook: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	switch {
	case err != nil:
		return nil, fmt.Errorf("mediastreamtest: webhook: %w", err)
	case response.StatusCode/100 != 2:
		return nil, &WebhookError{response.StatusCode, string(text)}
	}
	return text, nil
}

// WebhookError says that the gateway's webhook refused. It wraps media.LegFailed.
type WebhookError struct {
	Status int    // of HTTP
	Text   string // the body
}

// Error returns both in one line.
func (e *WebhookError) Error() string {
	text := fmt.Sprintf("mediastreamtest: webhook: %d %s", e.Status, http.StatusText(e.Status))
	if body := strings.Join(strings.Fields(e.Text), " "); body != "" {
		text += fmt.Sprintf(": %.100s", body)
	}
	return text
}

// Unwrap returns media.LegFailed.
func (e *WebhookError) Unwrap() error { return media.LegFailed }

// jsonBody returns what a JSON webhook tells: members, and Config.Params.
func jsonBody(cfg *Config, members map[string]any) (string, error) {
	for name, values := range cfg.Params {
		if len(values) > 0 {
			members[name] = values[0]
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("mediastreamtest: webhook: %w", err)
	}
	return string(text), nil
}
