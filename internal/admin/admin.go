// Package admin is what operators see of a gateway over HTTP: metrics, health,
// readiness, and the calls that exist. It is served on a listener of its own that
// carriers do not reach.
package admin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/realtime"
)

// Config of the operators' HTTP interface.
type Config struct {
	Registry *bridge.Registry
	Metrics  prometheus.Gatherer
	// Ready returns why no call can be taken, nil if one can.
	Ready func() error
	// Place places a call out and returns its id; nil: there is no way out.
	Place func(ctx context.Context, out Outbound) (id string, err error)
	// Reload reads the configuration again and returns the sections and keys that need
	// a restart; nil: there is nothing to reload.
	Reload func() (restart []string, err error)
	// Drain begins to drain the gateway; nil: it cannot be asked to.
	Drain func()
	// Properties reads what a session's properties are to be changed to; nil:
	// they cannot be changed.
	Properties func(body []byte) (realtime.Properties, error)
	// Events streams what happens in all calls; nil: nothing is streamed.
	Events *Events
	// Token that every request but that for health must bear; empty: none.
	Token string
}

// NewHandler returns the HTTP interface that cfg describes.
func NewHandler(cfg Config) http.Handler {
	a := &api{cfg}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", a.ready)
	mux.Handle("GET /metrics", a.authorised(promhttp.HandlerFor(cfg.Metrics, promhttp.HandlerOpts{})))
	mux.Handle("GET /api/v1/calls", a.authorised(http.HandlerFunc(a.calls)))
	mux.Handle("GET /api/v1/calls/{id}", a.authorised(http.HandlerFunc(a.call)))
	mux.Handle("GET /api/v1/calls/{id}/conversation", a.authorised(http.HandlerFunc(a.conversation)))
	mux.Handle("DELETE /api/v1/calls/{id}", a.authorised(http.HandlerFunc(a.hangUp)))
	a.controls(mux)
	if cfg.Events != nil {
		mux.Handle("GET /api/v1/events", a.authorised(cfg.Events))
	}
	mux.Handle("POST /api/v1/calls", a.authorised(http.HandlerFunc(a.place)))
	mux.Handle("POST /api/v1/reload", a.authorised(http.HandlerFunc(a.reload)))
	mux.Handle("POST /api/v1/drain", a.authorised(http.HandlerFunc(a.drain)))
	return inJSON(mux)
}

// inJSON answers what mux does not know as everything else is answered.
func inJSON(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		unknown := verdict{header: http.Header{}}
		h.ServeHTTP(&unknown, r)
		if unknown.status != http.StatusMethodNotAllowed {
			refuse(w, http.StatusNotFound, "there is nothing at "+r.URL.Path)
			return
		}
		allowed := unknown.header.Get("Allow")
		w.Header().Set("Allow", allowed)
		refuse(w, http.StatusMethodNotAllowed, r.URL.Path+" takes "+allowed)
	})
}

// verdict keeps of an answer all but the body.
type verdict struct {
	header http.Header
	status int
}

func (v *verdict) Header() http.Header         { return v.header }
func (v *verdict) WriteHeader(status int)      { v.status = status }
func (v *verdict) Write(b []byte) (int, error) { return len(b), nil }

type api struct{ cfg Config }

func (a *api) authorised(next http.Handler) http.Handler {
	if a.cfg.Token == "" {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if intrudes(r) {
				refuse(w, http.StatusForbidden, "pages of other sites are refused, and hosts by another name than localhost, unless there is an admin.token")
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	want := []byte(a.cfg.Token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(got), want) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="callgw"`)
			refuse(w, http.StatusUnauthorized, "the token of admin.token is needed: Authorization: Bearer …")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *api) ready(w http.ResponseWriter, _ *http.Request) {
	if err := a.cfg.Ready(); err != nil {
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready", "reason": err.Error()})
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ready"})
}

func refuse(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"error": why})
}

// answer writes v as JSON. A reader who has gone is none of our concern.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
