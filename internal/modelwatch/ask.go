package modelwatch

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/callgw/callgw/realtime"
)

const (
	askTimeout = 10 * time.Second
	maxBody    = 4 << 20 // of a list of models
)

// client returns c as the watch uses it. Redirects are not followed: the key is
// for the provider alone.
func client(c *http.Client) *http.Client {
	own := http.Client{}
	if c != nil {
		own = *c
	} else {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.DisableKeepAlives = true // a connection a day
		own.Transport = transport
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// ask fetches and reads a provider's list of models.
func (w *Watch) ask(ctx context.Context, p realtime.Provider, url string) (map[string]time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("modelwatch: request: %w", err)
	}
	req.Header = p.HandshakeHeader()
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("modelwatch: ask: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("modelwatch: ask: answered %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("modelwatch: read: %w", err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("modelwatch: read: longer than %d bytes", maxBody)
	}
	return ParseModels(body)
}
