package httptool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/callgw/callgw/internal/toolschema"
)

// Tool is one function of the model. It is safe for concurrent use.
type Tool struct {
	cfg     Config
	target  *target
	schema  *toolschema.Schema
	client  *http.Client
	secrets *strings.Replacer
}

// New checks the configuration and returns the tool. The error names every fault,
// each with its remedy.
func New(cfg Config) (*Tool, error) {
	cfg, err := cfg.withDefaults()
	faults := []error{err}
	target, err := parseTarget(cfg.URL, !cfg.hasBody())
	if err != nil {
		faults = append(faults, fmt.Errorf("url: %w", err))
	} else {
		faults = append(faults, target.unknown(cfg.Parameters))
	}
	schema, err := toolschema.Compile(cfg.Parameters)
	faults = append(faults, err)
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("httptool: %s: %w", cfg.Name, err)
	}
	t := &Tool{cfg: cfg, target: target, schema: schema, secrets: blanker(cfg)}
	t.client = t.clientOf(*cfg.Client)
	return t, nil
}

// Name returns the function's name.
func (t *Tool) Name() string { return t.cfg.Name }

// Format writes the name, whatever the verb.
func (t *Tool) Format(f fmt.State, verb rune) { t.cfg.Format(f, verb) }

// Call is one call of the function.
type Call struct {
	CallID     string          // the phone call's
	ToolCallID string          // the function call's, unique within the session
	From, To   string          // numbers or URIs of the phone call
	Agent      string          // whose model calls
	Arguments  json.RawMessage // as the model wrote them
}

// Call checks the arguments, asks the endpoint and returns what the model is
// told. An error is an [*Error], with a text for the model.
func (t *Tool) Call(ctx context.Context, call Call) (string, error) {
	if err := t.schema.Validate(call.Arguments); err != nil {
		return "", &Error{Text: err.Error(), Err: fmt.Errorf("httptool: %s: arguments refused", t.cfg.Name)}
	}
	if err := ctx.Err(); err != nil {
		return "", t.described(contextError(ctx), 0)
	}
	req, err := t.prepare(call)
	if err != nil {
		return "", &Error{Text: err.Error(), Err: fmt.Errorf("httptool: %s: arguments refused", t.cfg.Name)}
	}
	return t.retry(ctx, req)
}

// attempt sends the request once.
func (t *Tool) attempt(ctx context.Context, p *prepared) (string, *Error) {
	timed, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	req, err := t.request(timed, p)
	if err != nil {
		return "", &Error{Text: "the tool could not be asked", Err: bare(err)}
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return "", transportError(ctx, "the tool could not be reached", err)
	}
	defer func() { _ = resp.Body.Close() }() // the answer has been read as far as it matters
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return "", t.statusError(resp)
	}
	output, err := t.output(resp)
	if err != nil {
		return "", transportError(ctx, "the tool's answer broke off", err)
	}
	return output, nil
}

// statusError keeps the beginning of the answer for the log.
func (t *Tool) statusError(resp *http.Response) *Error {
	const excerpt = 300
	body, _ := io.ReadAll(io.LimitReader(resp.Body, excerpt)) // what can be read is what is shown
	err := fmt.Errorf("%s: %q", http.StatusText(resp.StatusCode), t.blank(string(body)))
	if resp.StatusCode/100 == 3 {
		err = errors.New("redirects are followed only on the same host with the same method")
	}
	return &Error{
		Text:   fmt.Sprintf("the tool answered %d", resp.StatusCode),
		Status: resp.StatusCode,
		Err:    errors.Join(err, retryAfter(resp)),
		retry:  worthRetrying(resp.StatusCode),
	}
}
