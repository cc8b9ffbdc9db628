package httptool_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/callgw/callgw/internal/httptool"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secret and credential must never show.
const (
	secret     = "whsec-0123456789"
	credential = "tok-9876543210"
)

// weather is a call of the tool in most tests.
var weather = httptool.Call{
	CallID: "01J", ToolCallID: "call_1", From: "+14155550123", To: "+14155550100", Agent: "reception",
	Arguments: json.RawMessage(`{"city": "Köln & Bonn", "days": 3}`),
}

func with(arguments string) httptool.Call {
	c := weather
	c.Arguments = json.RawMessage(arguments)
	return c
}

func tool(t testing.TB, cfg httptool.Config) *httptool.Tool {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "get_weather"
	}
	tool, err := httptool.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tool
}

// serve runs an endpoint; its client leaves no goroutine behind.
func serve(t testing.TB, handler http.HandlerFunc) (url string, client *http.Client) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL, server.Client()
}

// respond is an endpoint without a socket.
type respond func(*http.Request) (*http.Response, error)

func (f respond) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer is what an endpoint without a socket says.
func answer(status int, body string, headers ...string) *http.Response {
	w := httptest.NewRecorder()
	for i := 0; i+1 < len(headers); i += 2 {
		w.Header().Set(headers[i], headers[i+1])
	}
	w.WriteHeader(status)
	_, _ = w.WriteString(body)
	return w.Result()
}

// offline is a tool whose endpoint has no socket.
func offline(t testing.TB, cfg httptool.Config, endpoint respond) *httptool.Tool {
	t.Helper()
	cfg.Client = &http.Client{Transport: endpoint}
	if cfg.URL == "" {
		cfg.URL = "https://tools.example.com/weather"
	}
	return tool(t, cfg)
}

// failure returns the error of a call that has none to succeed.
func failure(t testing.TB, ctx context.Context, tool *httptool.Tool, call httptool.Call) *httptool.Error {
	t.Helper()
	output, err := tool.Call(ctx, call)
	failed, ok := errors.AsType[*httptool.Error](err)
	if !ok || output != "" {
		t.Fatalf("output %q, error %v (%T)", output, err, err)
	}
	return failed
}
