package httptool_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/internal/httptool"
)

// refused is a connection error.
func refused(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

// status answers with one.
func status(code int, headers ...string) respond {
	return func(*http.Request) (*http.Response, error) { return answer(code, "", headers...), nil }
}

// scripted answers each request by the next of its steps, then well, and notes
// when requests came and with which key.
type scripted struct {
	steps []respond
	at    []time.Time
	keys  []string
}

func (s *scripted) respond(r *http.Request) (*http.Response, error) {
	s.at = append(s.at, time.Now())
	s.keys = append(s.keys, r.Header.Get("Idempotency-Key"))
	if n := len(s.at); n <= len(s.steps) {
		return s.steps[n-1](r)
	}
	return answer(200, "fine"), nil
}

func TestRetries(t *testing.T) {
	all := []respond{refused, status(502), status(504)}
	for name, c := range map[string]struct {
		cfg      httptool.Config
		steps    []respond
		want     string // the output, or the error
		attempts int
	}{
		"GET":                     {httptool.Config{Method: "GET"}, all, "fine", 4},
		"PUT":                     {httptool.Config{Method: "PUT"}, all, "fine", 4},
		"DELETE":                  {httptool.Config{Method: "DELETE"}, all, "fine", 4},
		"POST is not safe":        {httptool.Config{Method: "POST"}, all, "the tool could not be reached", 1},
		"PATCH is not safe":       {httptool.Config{Method: "PATCH"}, []respond{status(503)}, "the tool answered 503", 1},
		"POST with a key":         {httptool.Config{Method: "POST", Idempotent: true}, all, "fine", 4},
		"429":                     {httptool.Config{Method: "GET"}, []respond{status(429)}, "fine", 2},
		"503":                     {httptool.Config{Method: "GET"}, []respond{status(503)}, "fine", 2},
		"500 will not go away":    {httptool.Config{Method: "GET"}, []respond{status(500)}, "the tool answered 500", 1},
		"404 will not go away":    {httptool.Config{Method: "GET"}, []respond{status(404)}, "the tool answered 404", 1},
		"nor after others":        {httptool.Config{Method: "GET"}, []respond{status(503), status(400)}, "the tool answered 400", 2},
		"nor at the last attempt": {httptool.Config{Method: "GET"}, append(all, status(400)), "the tool answered 400", 4},
		"a time-out":              {httptool.Config{Method: "GET"}, []respond{hang}, "fine", 2},
		"it ends some time":       {httptool.Config{Method: "GET"}, append(all, status(503), refused), "the tool answered 503", 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				endpoint := &scripted{steps: c.steps}
				ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
				defer cancel()
				out, err := offline(t, c.cfg, endpoint.respond).Call(ctx, weather)
				if err != nil {
					out = err.Error()
					if failed, ok := errors.AsType[*httptool.Error](err); !ok || failed.Attempts != c.attempts {
						t.Errorf("the error is %#v", err)
					}
				}
				if out != c.want || len(endpoint.at) != c.attempts {
					t.Errorf("%q after %d attempts, want %q after %d", out, len(endpoint.at), c.want, c.attempts)
				}
				for _, key := range endpoint.keys {
					if want := map[bool]string{true: "call_1"}[c.cfg.Idempotent]; key != want {
						t.Errorf("keys %q, want %q each", endpoint.keys, want)
					}
				}
				for i := 1; i < len(endpoint.at); i++ {
					// 200, 400, 800 ms, each by up to half less or more, behind a time-out of 5 s.
					if wait := endpoint.at[i].Sub(endpoint.at[i-1]); wait < 50*time.Millisecond || wait > 6*time.Second {
						t.Errorf("attempt %d came after %v", i+1, wait)
					}
				}
			})
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for name, c := range map[string]struct {
		header   func() string
		deadline time.Duration // 0: none
		low      time.Duration
		high     time.Duration
		attempts int
	}{
		"seconds":             {func() string { return "3" }, 15 * time.Second, 3 * time.Second, 3 * time.Second, 2},
		"a date":              {func() string { return time.Now().Add(4 * time.Second).UTC().Format(http.TimeFormat) }, 15 * time.Second, 4 * time.Second, 4 * time.Second, 2},
		"no wait at all":      {func() string { return "0" }, 15 * time.Second, 100 * time.Millisecond, 300 * time.Millisecond, 2},
		"a date gone by":      {func() string { return time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat) }, 15 * time.Second, 100 * time.Millisecond, 300 * time.Millisecond, 2},
		"nonsense":            {func() string { return "soon" }, 15 * time.Second, 100 * time.Millisecond, 300 * time.Millisecond, 2},
		"beyond the deadline": {func() string { return "20" }, 15 * time.Second, 0, 0, 1},
		"beyond patience":     {func() string { return "3600" }, 0, 0, 0, 1},
		"beyond all numbers":  {func() string { return "99999999999999999999" }, 15 * time.Second, 100 * time.Millisecond, 300 * time.Millisecond, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				endpoint := &scripted{steps: []respond{status(429, "Retry-After", c.header())}}
				ctx := t.Context()
				if c.deadline > 0 {
					var cancel func()
					ctx, cancel = context.WithTimeout(ctx, c.deadline)
					defer cancel()
				}
				start := time.Now()
				out, err := offline(t, httptool.Config{Method: "GET"}, endpoint.respond).Call(ctx, weather)
				took := time.Since(start)
				if took < c.low || took > c.high || len(endpoint.at) != c.attempts {
					t.Errorf("%d attempts in %v, want %d in %v to %v", len(endpoint.at), took, c.attempts, c.low, c.high)
				}
				if c.attempts == 1 && (err == nil || err.Error() != "the tool answered 429") || c.attempts == 2 && out != "fine" {
					t.Errorf("output %q, %v", out, err)
				}
			})
		})
	}
}

func TestRetriesStayWithinTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		start := time.Now()
		failed := failure(t, ctx, offline(t, httptool.Config{Method: "GET"}, hang), weather)
		if took := time.Since(start); took != 7*time.Second || failed.Attempts != 2 || failed.Error() != "the tool did not answer in time" {
			t.Errorf("%v in %v after %d attempts", failed, took, failed.Attempts)
		}
	})
}
