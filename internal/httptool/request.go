package httptool

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/callgw/callgw/internal/toolschema"
)

// Headers that name the call.
const (
	callHeader        = "Callgw-Call-Id"
	toolCallHeader    = "Callgw-Tool-Call-Id"
	idempotencyHeader = "Idempotency-Key"
)

// prepared is what all attempts of a call share.
type prepared struct {
	url  *url.URL
	body []byte // nil: none
	call Call
}

// payload is the body of requests that have one.
type payload struct {
	Call struct {
		ID    string `json:"id"`
		From  string `json:"from"`
		To    string `json:"to"`
		Agent string `json:"agent"`
	} `json:"call"`
	ToolCallID string         `json:"tool_call_id"`
	Name       string         `json:"name"`
	Arguments  map[string]any `json:"arguments"`
}

// prepare makes the URL and the body. Its errors are for the model.
func (t *Tool) prepare(call Call) (*prepared, error) {
	arguments, err := toolschema.Object(call.Arguments)
	if err != nil {
		return nil, err
	}
	u, err := t.target.expand(arguments)
	if err != nil {
		return nil, err
	}
	p := &prepared{url: u, call: call}
	if !t.cfg.hasBody() {
		return p, nil
	}
	body := payload{ToolCallID: call.ToolCallID, Name: t.cfg.Name, Arguments: arguments}
	body.Call.ID, body.Call.From, body.Call.To, body.Call.Agent = call.CallID, call.From, call.To, call.Agent
	if p.body, err = json.Marshal(body); err != nil {
		return nil, fmt.Errorf("the arguments cannot be sent: %w", err)
	}
	return p, nil
}

// request makes the request of one attempt, signed now.
func (t *Tool) request(ctx context.Context, p *prepared) (*http.Request, error) {
	var body io.Reader = http.NoBody
	if p.body != nil {
		body = bytes.NewReader(p.body)
	}
	req, err := http.NewRequestWithContext(ctx, t.cfg.Method, p.url.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json, text/plain;q=0.9, */*;q=0.5")
	req.Header.Set("User-Agent", "callgw")
	if p.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range t.cfg.Headers {
		req.Header.Set(name, value)
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host // net/http takes it from there alone
	}
	// Ids come from other machines: escaped, they are header values for sure.
	req.Header.Set(callHeader, url.PathEscape(p.call.CallID))
	req.Header.Set(toolCallHeader, url.PathEscape(p.call.ToolCallID))
	if t.cfg.Idempotent {
		req.Header.Set(idempotencyHeader, url.PathEscape(p.call.ToolCallID))
	}
	t.sign(req, p.body)
	return req, nil
}

// sign sets the signature of a request.
func (t *Tool) sign(req *http.Request, body []byte) {
	if t.cfg.Secret == "" {
		return
	}
	if body == nil {
		body = []byte(req.URL.RequestURI())
	}
	req.Header.Set(SignatureHeader, Sign(t.cfg.Secret, body, time.Now()))
}

// clientOf returns a copy of a client that stays on the host it was sent to.
func (t *Tool) clientOf(client http.Client) *http.Client {
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		first := via[0]
		if len(via) > 3 || req.Method != first.Method || req.URL.Scheme != first.URL.Scheme || req.URL.Host != first.URL.Host {
			return http.ErrUseLastResponse // and its status is the error
		}
		if !t.cfg.hasBody() {
			t.sign(req, nil) // the request URI is another
		}
		return nil
	}
	return &client
}
