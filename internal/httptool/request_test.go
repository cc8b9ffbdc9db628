package httptool_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/callgw/callgw/internal/httptool"
	"github.com/google/go-cmp/cmp"
)

// seen is what an endpoint noticed of a request.
type seen struct {
	Method, URI, Body                        string
	ContentType, Call, ToolCall, Key, Tenant string
}

func TestRequest(t *testing.T) {
	body := `{"call":{"id":"01J","from":"+14155550123","to":"+14155550100","agent":"reception"},` +
		`"tool_call_id":"call_1","name":"get_weather","arguments":{"city":"Köln \u0026 Bonn","days":3}}`
	for name, c := range map[string]struct {
		cfg  httptool.Config
		path string
		call httptool.Call
		want seen
	}{
		"POST is the default": {
			path: "/weather?v=1", call: weather,
			want: seen{Method: "POST", URI: "/weather?v=1", Body: body, ContentType: "application/json", Tenant: "acme"},
		},
		"PUT": {
			cfg: httptool.Config{Method: "PUT"}, path: "/", call: weather,
			want: seen{Method: "PUT", URI: "/", Body: body, ContentType: "application/json", Tenant: "acme"},
		},
		"PATCH that is idempotent": {
			cfg: httptool.Config{Method: "PATCH", Idempotent: true}, path: "/{city}", call: weather,
			want: seen{Method: "PATCH", URI: "/K%C3%B6ln%20&%20Bonn", Body: body, ContentType: "application/json", Key: "call_1", Tenant: "acme"},
		},
		"GET": {
			cfg: httptool.Config{Method: "GET"}, path: "/weather", call: weather,
			want: seen{Method: "GET", URI: "/weather?city=K%C3%B6ln+%26+Bonn&days=3", Tenant: "acme"},
		},
		"GET with placeholders": {
			cfg: httptool.Config{Method: "GET"}, path: "/weather/{city}/now?d={days}&v=1", call: with(`{"city":"a/b?c#d","days":1.50,"x":true}`),
			want: seen{Method: "GET", URI: "/weather/a%2Fb%3Fc%23d/now?d=1.50&v=1&x=true", Tenant: "acme"},
		},
		"GET with a placeholder in the query": {
			cfg: httptool.Config{Method: "GET"}, path: "/w?q={city}", call: with(`{"city":"a&b=c d%"}`),
			want: seen{Method: "GET", URI: "/w?q=a%26b%3Dc+d%25", Tenant: "acme"},
		},
		"GET with all that JSON has": {
			cfg: httptool.Config{Method: "GET"}, path: "/w", call: with(`{"a":[1,"x"],"n":null,"o":{"k":false},"e":"","z":0,"big":12345678901234567890}`),
			want: seen{Method: "GET", URI: "/w?a=%5B1%2C%22x%22%5D&big=12345678901234567890&e=&o=%7B%22k%22%3Afalse%7D&z=0", Tenant: "acme"},
		},
		"DELETE without arguments": {
			cfg: httptool.Config{Method: "DELETE"}, path: "/booking", call: with(""),
			want: seen{Method: "DELETE", URI: "/booking", Tenant: "acme"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got seen
			base, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if err := httptool.VerifyRequest(secret, r); err != nil {
					t.Error(err)
				}
				body, _ := io.ReadAll(r.Body)
				got = seen{
					r.Method, r.RequestURI, string(body), r.Header.Get("Content-Type"), r.Header.Get("Callgw-Call-Id"),
					r.Header.Get("Callgw-Tool-Call-Id"), r.Header.Get("Idempotency-Key"), r.Header.Get("X-Tenant"),
				}
			})
			c.cfg.URL, c.cfg.Client, c.cfg.Secret = base+c.path, client, secret
			c.cfg.Headers = map[string]string{"x-tenant": "acme"}
			if out, err := tool(t, c.cfg).Call(t.Context(), c.call); err != nil || out != `{"status":200}` {
				t.Fatalf("output %q, %v", out, err)
			}
			c.want.Call, c.want.ToolCall = "01J", "call_1"
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIdsCannotBreakTheHeaders(t *testing.T) {
	call := with("{}")
	call.ToolCallID = "call_1\r\nX-Evil: 1"
	var key http.Header
	out, err := offline(t, httptool.Config{Idempotent: true}, func(r *http.Request) (*http.Response, error) {
		key = r.Header
		return answer(200, "ok"), nil
	}).Call(t.Context(), call)
	if err != nil || out != "ok" || key.Get("Idempotency-Key") != "call_1%0D%0AX-Evil:%201" {
		t.Errorf("output %q, %v, key %q", out, err, key.Get("Idempotency-Key"))
	}
}

func TestArgumentsThatMakeNoRequest(t *testing.T) {
	asked := false
	tool := offline(t, httptool.Config{
		Method: "GET", URL: "https://tools.example.com/v1/{id}.{ext}/{city}/x",
		Parameters: json.RawMessage(`{"type":"object","properties":{"id":{},"ext":{},"city":{"type":["string","number"]}},"required":["id"]}`),
	}, func(*http.Request) (*http.Response, error) {
		asked = true
		return answer(200, ""), nil
	})
	for arguments, want := range map[string]string{
		`{"city":true}`:                                 "city must be of type",
		`{"id":`:                                        "not valid JSON",
		`[]`:                                            "must be a JSON object",
		`{"id":1,"ext":2}`:                              "the argument city is missing",
		`{"id":null,"ext":2,"city":"a"}`:                "the argument id is missing",
		`{"id":[1],"ext":2,"city":"a"}`:                 "the argument id must be a string, a number or a boolean",
		`{"id":"","ext":2,"city":"a"}`:                  "the argument id must not be empty",
		`{"id":"a","ext":"b","city":".."}`:              "no valid address",
		`{"id":"a","ext":"b","city":"."}`:               "no valid address",
		`{"id":"a","ext":"b","city":"c/../d"}`:          "no valid address",
		`{"city":"` + strings.Repeat("x", 70000) + `"}`: "too long",
	} {
		failed := failure(t, t.Context(), tool, with(arguments))
		if !strings.Contains(failed.Error(), want) || failed.Attempts != 0 {
			t.Errorf("%.60s: %v after %d attempts, want %q", arguments, failed, failed.Attempts, want)
		}
	}
	if asked {
		t.Error("the endpoint was asked")
	}
}

func FuzzTarget(f *testing.F) {
	for _, city := range []string{"Bonn", "..", "a/b", "a?b#c", "%2e%2e", "\\..\\", "\x00", "ü", "@evil.example", "\x98\xf0", "//evil.example/"} {
		f.Add(city)
	}
	var got *url.URL
	tool := offline(f, httptool.Config{Method: "GET", URL: "https://tools.example.com/a/{city}/b?q={city}&z=1"}, func(r *http.Request) (*http.Response, error) {
		got = r.URL
		return answer(200, ""), nil
	})
	f.Fuzz(func(t *testing.T, city string) {
		city = string([]rune(city)) // as JSON has it: with U+FFFD for what is no UTF-8
		arguments, err := json.Marshal(map[string]string{"city": city})
		if err != nil {
			t.Fatal(err)
		}
		got = nil
		if _, err := tool.Call(t.Context(), with(string(arguments))); err != nil {
			if got != nil {
				t.Errorf("sent in spite of %v", err)
			}
			return
		}
		q := got.Query()
		if got.Host != "tools.example.com" || got.Scheme != "https" || q.Get("z") != "1" || q.Get("q") != city || len(q) != 2 {
			t.Errorf("%q leads to %s", city, got)
		}
		if segments := strings.Split(got.EscapedPath(), "/"); len(segments) != 4 || segments[1] != "a" || segments[3] != "b" {
			t.Errorf("%q leads to the path %s", city, got.EscapedPath())
		}
	})
}
