package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/admin"
	"github.com/callgw/callgw/realtime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is an interface for operators with what stands behind it.
type site struct {
	registry *bridge.Registry
	metrics  *prometheus.Registry
	ready    error
	handler  http.Handler
}

func newSite(token string) *site {
	s := &site{registry: bridge.NewRegistry(0), metrics: prometheus.NewRegistry()}
	s.handler = admin.NewHandler(admin.Config{
		Registry: s.registry, Metrics: s.metrics, Token: token,
		Ready: func() error { return s.ready },
	})
	return s
}

// ask sends a request; header is a value for Authorization, or empty.
func (s *site) ask(method, path, header string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:9090"+path, nil)
	if header != "" {
		r.Header.Set("Authorization", header)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// body returns an answer's JSON.
func body(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	var members map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &members); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return members
}

// quietLeg is a caller who says nothing and stays until hung up.
type quietLeg struct{ gone chan error }

func (quietLeg) Codec() media.Codec           { return media.PCMU }
func (quietLeg) Ring(context.Context) error   { return nil }
func (quietLeg) Answer(context.Context) error { return nil }

func (l quietLeg) Run(ctx context.Context, _ media.Uplink, _ media.Downlink) error {
	select {
	case cause := <-l.gone:
		return cause
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l quietLeg) Hangup(_ context.Context, cause error) error {
	select {
	case l.gone <- cause:
	default:
	}
	return nil
}

// silent is a provider that takes connections and says nothing, so that calls
// stay where they are.
func silent(t *testing.T) realtime.Provider {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		for err == nil {
			_, _, err = conn.ReadMessage()
		}
	}))
	t.Cleanup(server.Close)
	return realtime.Provider{
		Name: "silent", BaseURL: "ws" + strings.TrimPrefix(server.URL, "http"), APIKey: "none", Model: "any",
	}
}

// call runs a call in the site's registry, whose end is sent to the channel
// returned, until the test ends. It has arrived when call returns.
func (s *site) call(t *testing.T, id string) <-chan error {
	t.Helper()
	ringing := make(chan struct{})
	c := bridge.New(bridge.Config{
		Facts: bridge.Facts{ID: id, Leg: "sip", Trunk: "carrier", From: "+14155550123", To: "+14155550100"},
		Leg:   quietLeg{make(chan error, 1)},
		Agent: bridge.Agent{Name: "reception", Providers: []realtime.Provider{silent(t)}},
		Observe: func(e bridge.Event) {
			if e.Name == bridge.EventRinging {
				close(ringing)
			}
		},
	})
	ended := make(chan error, 1)
	go func() { ended <- s.registry.Run(context.WithoutCancel(t.Context()), c) }()
	t.Cleanup(func() {
		c.End(media.CallerHungUp)
		<-c.Ended()
	})
	<-ringing
	return ended
}

func TestHealthAndReadinessNeedNoToken(t *testing.T) {
	s := newSite("secret")
	if w := s.ask("GET", "/healthz", ""); w.Code != http.StatusOK || body(t, w)["status"] != "ok" {
		t.Errorf("health: %d %s", w.Code, w.Body)
	}
	if w := s.ask("GET", "/readyz", ""); w.Code != http.StatusOK || body(t, w)["status"] != "ready" {
		t.Errorf("readiness: %d %s", w.Code, w.Body)
	}
	s.ready = errors.New("draining")
	w := s.ask("GET", "/readyz", "")
	if diff := cmp.Diff(map[string]any{"status": "not ready", "reason": "draining"}, body(t, w)); w.Code != http.StatusServiceUnavailable || diff != "" {
		t.Errorf("readiness: %d %s", w.Code, diff)
	}
	if w := s.ask("GET", "/healthz", ""); w.Code != http.StatusOK {
		t.Errorf("a gateway that drains is alive, got %d", w.Code)
	}
}

func TestEverythingElseNeedsTheToken(t *testing.T) {
	for _, path := range []string{"GET /metrics", "GET /api/v1/calls", "GET /api/v1/calls/x", "DELETE /api/v1/calls/x"} {
		method, path, _ := strings.Cut(path, " ")
		for _, c := range []struct {
			name, header string
			refused      bool
		}{
			{"none", "", true},
			{"another", "Bearer other", true},
			{"a part", "Bearer secre", true},
			{"another scheme", "Basic secret", true},
			{"the token alone", "secret", true},
			{"the token", "Bearer secret", false},
		} {
			t.Run(method+path+" with "+c.name, func(t *testing.T) {
				w := newSite("secret").ask(method, path, c.header)
				if got := w.Code == http.StatusUnauthorized; got != c.refused {
					t.Fatalf("status %d", w.Code)
				}
				if c.refused && (w.Header().Get("WWW-Authenticate") == "" || !strings.Contains(body(t, w)["error"].(string), "admin.token")) {
					t.Errorf("the answer does not say what is missing: %s", w.Body)
				}
			})
		}
	}
}

func TestWithoutATokenAllMayAsk(t *testing.T) {
	if w := newSite("").ask("GET", "/api/v1/calls", ""); w.Code != http.StatusOK {
		t.Errorf("status %d", w.Code)
	}
}

func TestPagesOfOtherSitesAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, host, origin, token string
		status                    int
	}{
		{"a program", "127.0.0.1:9090", "", "", http.StatusBadRequest},
		{"a program over IPv6", "[::1]:9090", "", "", http.StatusBadRequest},
		{"a program that names no host", "", "", "", http.StatusBadRequest},
		{"a page of this machine", "localhost:9090", "http://localhost:9090", "", http.StatusBadRequest},
		{"another site", "127.0.0.1:9090", "https://evil.example", "", http.StatusForbidden},
		{"a file", "127.0.0.1:9090", "null", "", http.StatusForbidden},
		{"a name that leads here", "evil.example:9090", "http://evil.example:9090", "", http.StatusForbidden},
		{"the same, without saying so", "evil.example", "", "", http.StatusForbidden},
		{"who knows the token", "voice.example.com", "https://voice.example.com", "secret", http.StatusBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/api/v1/calls", strings.NewReader("{}"))
			r.Host = c.host
			r.Header.Set("Authorization", "Bearer "+c.token)
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			w := httptest.NewRecorder()
			newSite(c.token).handler.ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
	}
}

func TestMetricsAreThoseOfTheRegistry(t *testing.T) {
	s := newSite("")
	s.metrics.MustRegister(s.registry)
	s.call(t, "01A")
	w := s.ask("GET", "/metrics", "")
	want := `callgw_calls_active{agent="reception",leg="sip",provider="silent",trunk="carrier"} 1`
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
		t.Errorf("status %d, no %s in:\n%s", w.Code, want, w.Body)
	}
}

func TestCallsAreListedWithoutTheirTimelines(t *testing.T) {
	s := newSite("")
	if w := s.ask("GET", "/api/v1/calls", ""); strings.TrimSpace(w.Body.String()) != `{"calls":[]}` {
		t.Errorf("no calls: %s", w.Body)
	}
	began := time.Now()
	s.call(t, "01A")
	s.call(t, "01B")
	listed, _ := body(t, s.ask("GET", "/api/v1/calls", ""))["calls"].([]any)
	if len(listed) != 2 {
		t.Fatalf("%d calls", len(listed))
	}
	first, _ := listed[0].(map[string]any)
	arrived, _ := first["arrived"].(string)
	if at, err := time.Parse(time.RFC3339Nano, arrived); err != nil || at.Before(began.Truncate(time.Microsecond)) || at.After(time.Now()) {
		t.Errorf("arrived %q: %v", arrived, err)
	}
	want := map[string]any{
		"id": "01A", "leg": "sip", "trunk": "carrier", "agent": "reception", "direction": "in", "arrived": arrived,
		"from": "+14155550123", "to": "+14155550100", "state": "connecting",
	}
	if diff := cmp.Diff(want, listed[0]); diff != "" {
		t.Error(diff)
	}
}

func TestOneCallIsShownWithItsTimeline(t *testing.T) {
	s := newSite("")
	s.call(t, "01A")
	shown := body(t, s.ask("GET", "/api/v1/calls/01A", ""))
	timeline, _ := shown["timeline"].([]any)
	if len(timeline) < 2 {
		t.Fatalf("timeline %v", timeline)
	}
	first, _ := timeline[0].(map[string]any)
	want := map[string]any{"from": "+1415***0123", "to": "+1415***0100"}
	if diff := cmp.Diff(want, first["attrs"]); first["event"] != "arrived" || diff != "" {
		t.Errorf("first event %v: %s", first["event"], diff)
	}
	if _, ok := first["offset_ms"].(float64); !ok {
		t.Errorf("offset %v", first["offset_ms"])
	}
}

func TestAnOperatorHangsUp(t *testing.T) {
	s := newSite("")
	ended := s.call(t, "01A")
	if w := s.ask("DELETE", "/api/v1/calls/01A", ""); w.Code != http.StatusAccepted || body(t, w)["id"] != "01A" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if err := <-ended; !errors.Is(err, media.OperatorHungUp) {
		t.Errorf("ended for %v", err)
	}
	for method, want := range map[string]int{"GET": http.StatusOK, "DELETE": http.StatusNotFound} {
		if w := s.ask(method, "/api/v1/calls/01A", ""); w.Code != want {
			t.Errorf("%s after its end: status %d", method, w.Code)
		}
	}
}

func TestHowACallHasEndedIsRemembered(t *testing.T) {
	s := newSite("")
	at := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
	for i := range 1001 {
		s.registry.Remember(bridge.Past{
			Facts: bridge.Facts{ID: fmt.Sprint(i), Leg: "sip", To: "+14155550100"}, Agent: "reception", Cause: media.Busy,
			Refusal: bridge.Refusal{Status: 486, Reason: "Busy Here"}, Ended: at,
			Quality: &media.Quality{
				Packets: 990, Lost: 10, Filled: 200 * time.Millisecond, Jitter: 1500 * time.Microsecond, MOS: 4.123,
				Timed: true, RoundTrip: 40 * time.Millisecond,
				Reported: true, RemoteLoss: .25, RemoteJitter: time.Millisecond, RemoteMOS: 2.5,
			},
		})
	}
	want := map[string]any{
		"id": "1000", "leg": "sip", "agent": "reception", "from": "", "to": "+14155550100", "state": "ended",
		"cause": "busy", "sip_status": 486.0, "sip_reason": "Busy Here", "ended": "2026-12-24T18:00:00.000Z",
		"media": map[string]any{
			"packets": 990.0, "lost": 10.0, "loss": .01, "filled_ms": 200.0, "jitter_ms": 1.5, "mos": 4.12, "round_trip_ms": 40.0,
			"remote_loss": .25, "remote_jitter_ms": 1.0, "remote_mos": 2.5,
		},
	}
	if diff := cmp.Diff(want, body(t, s.ask("GET", "/api/v1/calls/1000", ""))); diff != "" {
		t.Error(diff)
	}
	for id, want := range map[string]int{"0": http.StatusNotFound, "1": http.StatusOK} {
		if w := s.ask("GET", "/api/v1/calls/"+id, ""); w.Code != want {
			t.Errorf("call %s of 1001: status %d", id, w.Code)
		}
	}
}

func TestWhatThereIsNot(t *testing.T) {
	s := newSite("")
	for request, want := range map[string]int{
		"GET /api/v1/calls/01X":    http.StatusNotFound,
		"DELETE /api/v1/calls/01X": http.StatusNotFound,
		"GET /nowhere":             http.StatusNotFound,
		"GET /twilio/voice":        http.StatusNotFound,
		"PUT /api/v1/calls":        http.StatusMethodNotAllowed,
		"POST /healthz":            http.StatusMethodNotAllowed,
	} {
		method, path, _ := strings.Cut(request, " ")
		w := s.ask(method, path, "")
		if w.Code != want {
			t.Errorf("%s: status %d, want %d", request, w.Code, want)
		}
		if why, _ := body(t, w)["error"].(string); why == "" {
			t.Errorf("%s: no reason in %s", request, w.Body)
		}
		if allowed := w.Header().Get("Allow"); (want == http.StatusMethodNotAllowed) != (allowed != "") {
			t.Errorf("%s: Allow is %q", request, allowed)
		}
	}
	if got := body(t, s.ask("GET", "/api/v1/calls/01X", ""))["error"]; got != "no such call: it has ended or never was" {
		t.Errorf("error %v", got)
	}
}
