package modelwatch_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/internal/modelwatch"
	"github.com/callgw/callgw/realtime"
)

// served answers requests without a network, so that a test may have its own
// clock.
type served http.HandlerFunc

func (s served) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func provider(baseURL, key string) realtime.Provider {
	return realtime.Provider{Name: "p", BaseURL: baseURL, APIKey: key, Model: "m"}.WithDefaults()
}

const openAI = "wss://api.example.com/v1/realtime"

// list is a list of one model, with more members.
func list(members string) string { return fmt.Sprintf(`{"data":[{"id":"m"%s}]}`, members) }

// watch is a watch of provider p and its models m and t, and what it logs.
func watch(handler http.HandlerFunc, p realtime.Provider) (*modelwatch.Watch, *bytes.Buffer) {
	var log bytes.Buffer
	return modelwatch.New(modelwatch.Config{
		Targets: func() []modelwatch.Target { return []modelwatch.Target{{Provider: p, Models: []string{"m", "t"}}} },
		Log:     zerolog.New(&log), Client: &http.Client{Transport: served(handler)},
	}), &log
}

// series is what a watch shows.
func series(w *modelwatch.Watch, values ...string) error {
	const head = `
# HELP callgw_model_shutdown_timestamp_seconds When a model in use is shut down, as its provider announces.
# TYPE callgw_model_shutdown_timestamp_seconds gauge
`
	want := ""
	if len(values) > 0 {
		want = head + strings.Join(values, "\n") + "\n"
	}
	return testutil.CollectAndCompare(w, strings.NewReader(want))
}

const dated = `callgw_model_shutdown_timestamp_seconds{model="m",provider="p"} 1.8004032e+09`

func TestAProviderIsAskedOverTLSWithItsKey(t *testing.T) {
	asked := make(chan string, 1)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization")
		_, _ = w.Write([]byte(`{"data":[{"id":"m","shutdown_date":"2027-01-20"},{"id":"other","shutdown_date":"2027-01-20"}]}`))
	}))
	defer server.Close()
	warned := make(chan struct{})
	w := modelwatch.New(modelwatch.Config{
		Targets: func() []modelwatch.Target {
			return []modelwatch.Target{{Provider: provider("wss"+strings.TrimPrefix(server.URL, "https")+"/v1/realtime", "sk-1"), Models: []string{"m"}}}
		},
		Log:    zerolog.New(zerolog.Nop()).Hook(zerolog.HookFunc(func(*zerolog.Event, zerolog.Level, string) { close(warned) })),
		Client: server.Client(),
	})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	if got := <-asked; got != "GET /v1/models Bearer sk-1" {
		t.Errorf("asked %q", got)
	}
	<-warned
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := series(w, dated); err != nil {
		t.Error(err)
	}
}

func TestModelsAreLookedAtDailyAndWarnedOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		var answer atomic.Value
		answer.Store(list(``))
		w, log := watch(func(rw http.ResponseWriter, _ *http.Request) {
			body := answer.Load().(string)
			asked++
			if body == "" {
				rw.WriteHeader(http.StatusServiceUnavailable)
			}
			_, _ = rw.Write([]byte(body))
		}, provider(openAI, "sk-1"))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		time.Sleep(time.Minute) // between two looks
		for day, c := range []struct {
			answer string
			series []string
			warned int
		}{
			{list(``), nil, 0},
			{list(`,"shutdown_date":"2027-01-20"`), []string{dated}, 1},
			{list(`,"shutdown_date":"2027-01-20"`), []string{dated}, 1},
			{"", []string{dated}, 1}, // what was known stays
			{list(`,"shutdown_date":1800403201`), []string{strings.Replace(dated, "032e", "03201e", 1)}, 2},
			{list(``), nil, 2},
		} {
			answer.Store(c.answer)
			time.Sleep(24 * time.Hour)
			synctest.Wait()
			if asked != day+2 {
				t.Errorf("day %d: asked %d times", day, asked)
			}
			if err := series(w, c.series...); err != nil {
				t.Errorf("day %d: %v", day, err)
			}
			if n := strings.Count(log.String(), `"level":"warn"`); n != c.warned {
				t.Errorf("day %d: %d warnings in %s", day, n, log)
			}
		}
		if !strings.Contains(log.String(), `"model":"m","shutdown_date":"2027-01-20"`) {
			t.Errorf("logged %s", log)
		}
		w.Changed()
		synctest.Wait()
		if asked != 8 {
			t.Errorf("asked %d times after a change", asked)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestFailuresAreNoMoreThanDebugging(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"refused": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"redirected": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://other.example.com/", http.StatusFound)
		},
		"no list":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"too long":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 5<<20)) },
		"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var hosts []string
				w, log := watch(func(rw http.ResponseWriter, r *http.Request) {
					hosts = append(hosts, r.URL.Host)
					handler(rw, r)
				}, provider(openAI, "sk-1"))
				ctx, stop := context.WithTimeout(t.Context(), 11*time.Second)
				defer stop()
				if err := w.Run(ctx); err != nil {
					t.Error(err)
				}
				if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), `"level":"debug"`) || strings.Contains(log.String(), "sk-1") {
					t.Errorf("logged %s", log)
				}
				if diff := cmp.Diff([]string{"api.example.com"}, hosts); diff != "" {
					t.Error(diff)
				}
				if err := series(w); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestOtherServersAreLeftAlone(t *testing.T) {
	for name, p := range map[string]realtime.Provider{
		"no key":          provider(openAI, ""),
		"none for a key":  provider(openAI, "none"),
		"in the clear":    provider("ws://127.0.0.1:9000/v1/realtime", "sk-1"),
		"another address": provider("wss://api.example.com/realtime", "sk-1"),
	} {
		t.Run(name, func(t *testing.T) {
			w, log := watch(func(http.ResponseWriter, *http.Request) { t.Error("asked") }, p)
			ctx, stop := context.WithCancel(t.Context())
			stop()
			if err := w.Run(ctx); err != nil || log.Len() > 0 {
				t.Errorf("%v, logged %s", err, log)
			}
		})
	}
}

func TestTheWatchDescribesItself(t *testing.T) {
	if err := prometheus.NewPedanticRegistry().Register(modelwatch.New(modelwatch.Config{})); err != nil {
		t.Error(err)
	}
}
