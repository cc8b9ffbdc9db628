package httptool_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/internal/httptool"
)

func TestStatus(t *testing.T) {
	for _, status := range []int{304, 400, 401, 404, 409, 500, 501, 503} {
		tool := offline(t, httptool.Config{}, func(*http.Request) (*http.Response, error) {
			return answer(status, "stack trace of the "+strings.Repeat("x", 1000)), nil
		})
		failed := failure(t, t.Context(), tool, weather)
		if want := fmt.Sprintf("the tool answered %d", status); failed.Error() != want || failed.Status != status || failed.Attempts != 1 {
			t.Errorf("%v, status %d after %d attempts, want %q", failed, failed.Status, failed.Attempts, want)
		}
		details := failed.Unwrap().Error()
		if !strings.HasPrefix(details, "httptool: get_weather: ") || len(details) > 500 || status != 304 && !strings.Contains(details, "stack trace") {
			t.Errorf("details: %s", details)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	cfg := httptool.Config{Method: "POST", URL: "http://" + address + "/{city}?key=hidden", Client: &http.Client{Transport: transport}}
	failed := failure(t, t.Context(), tool(t, cfg), weather)
	if failed.Error() != "the tool could not be reached" || failed.Status != 0 || failed.Attempts != 1 {
		t.Errorf("%v, status %d after %d attempts", failed, failed.Status, failed.Attempts)
	}
	if details := failed.Unwrap().Error(); strings.Contains(details, "hidden") || strings.Contains(details, "Bonn") || !strings.Contains(details, "refused") {
		t.Errorf("details: %s", details)
	}
}

func TestAnswerBrokenOff(t *testing.T) {
	base, client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("half an ans"))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	failed := failure(t, t.Context(), tool(t, httptool.Config{URL: base, Client: client}), weather)
	if failed.Error() != "the tool's answer broke off" || !strings.Contains(failed.Unwrap().Error(), "EOF") {
		t.Errorf("%v: %v", failed, failed.Unwrap())
	}
}

// hang answers when its request is given up.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

func TestNoAnswerInTime(t *testing.T) {
	for name, c := range map[string]struct {
		timeout, deadline, want time.Duration
	}{
		"the default time-out": {0, time.Hour, 5 * time.Second},
		"one's own":            {time.Second, time.Hour, time.Second},
		"the call's deadline":  {0, 2 * time.Second, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tool := offline(t, httptool.Config{Timeout: c.timeout}, hang)
				ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
				defer cancel()
				start := time.Now()
				failed := failure(t, ctx, tool, weather)
				if failed.Error() != "the tool did not answer in time" || failed.Attempts != 1 || time.Since(start) != c.want {
					t.Errorf("%v in %v after %d attempts, want %v", failed, time.Since(start), failed.Attempts, c.want)
				}
				if !errors.Is(failed, context.DeadlineExceeded) {
					t.Errorf("the details are %v", failed.Unwrap())
				}
			})
		})
	}
}

func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hungUp := errors.New("caller hung up")
		for name, c := range map[string]struct {
			endpoint respond
			after    time.Duration
			attempts int
		}{
			"before":        {hang, 0, 0},
			"meanwhile":     {hang, time.Second, 1},
			"between tries": {func(*http.Request) (*http.Response, error) { return answer(503, "", "Retry-After", "9"), nil }, time.Second, 1},
		} {
			tool := offline(t, httptool.Config{Method: "GET"}, c.endpoint)
			ctx, cancel := context.WithCancelCause(t.Context())
			if c.after == 0 {
				cancel(hungUp)
			} else {
				time.AfterFunc(c.after, func() { cancel(hungUp) })
			}
			start := time.Now()
			failed := failure(t, ctx, tool, weather)
			if failed.Error() != "the tool call was cancelled" || !errors.Is(failed, hungUp) || failed.Attempts != c.attempts || time.Since(start) != c.after {
				t.Errorf("%s: %v (%v) in %v after %d attempts", name, failed, failed.Unwrap(), time.Since(start), failed.Attempts)
			}
		}
	})
}
