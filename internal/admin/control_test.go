package admin_test

import (
	"bufio"
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

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/internal/admin"
)

// post sends a request with a body.
func (s *site) post(path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, httptest.NewRequest("POST", "http://localhost:9090"+path, strings.NewReader(body)))
	return w
}

func TestCallsAreControlled(t *testing.T) {
	s := newSite("")
	s.call(t, "1")
	for _, c := range []struct {
		name, path, body string
		status           int
		says             string
	}{
		{"pause", "1/pause", "", http.StatusOK, ""},
		{"resume", "1/resume", "", http.StatusOK, ""},
		{"a call that is not", "2/pause", "", http.StatusNotFound, "no such call"},
		{"speech without a session", "1/say", `{"instructions": "Greet."}`, http.StatusConflict, "no open session"},
		{"a message without a session", "1/message", `{"text": "hi"}`, http.StatusConflict, "no open session"},
		{"a message of the assistant's", "1/message", `{"role": "assistant", "text": "hi"}`, http.StatusBadRequest, "system"},
		{"an unknown member", "1/say", `{"text": "hi"}`, http.StatusBadRequest, `body: unknown field "text": a JSON object is needed, its members are instructions`},
		{"a member of another type", "1/message", `{"text": 5}`, http.StatusBadRequest, "body: text cannot be a number: a JSON object is needed, its members are role, text, respond"},
		{"an update where there is none", "1/session", `{"voice": "cedar"}`, http.StatusNotImplemented, "cannot"},
		{"no JSON", "1/dtmf", `12`, http.StatusBadRequest, "body: it cannot be a number"},
		{"wrong digits", "1/dtmf", `{"digits": "12x"}`, http.StatusBadRequest, "'x' is no digit"},
		{"no digits", "1/dtmf", `{}`, http.StatusBadRequest, "1 to 64"},
		{"too many digits", "1/dtmf", `{"digits": "` + strings.Repeat("1", 65) + `"}`, http.StatusBadRequest, "65 digits"},
		{"digits", "1/dtmf", `{"digits": "12#"}`, http.StatusOK, ""},
		{"a transfer to nobody", "1/transfer", `{}`, http.StatusBadRequest, "target"},
		{"a transfer that the leg cannot do", "1/transfer", `{"target": "+14155550111"}`, http.StatusNotImplemented, "cannot"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := s.post("/api/v1/calls/"+c.path, c.body)
			if w.Code != c.status {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			why, _ := body(t, w)["error"].(string)
			if !strings.Contains(why, c.says) {
				t.Errorf("says %q, want %q in it", why, c.says)
			}
			if strings.Contains(why, "\n") {
				t.Errorf("more than one line: %q", why)
			}
		})
	}
}

func TestCallsArePlaced(t *testing.T) {
	var placed admin.Outbound
	failure := error(nil)
	handler := admin.NewHandler(admin.Config{
		Registry: bridge.NewRegistry(0),
		Place: func(_ context.Context, out admin.Outbound) (string, error) {
			placed = out
			return "7", failure
		},
	})
	s := &site{handler: handler}
	w := s.post("/api/v1/calls", `{"to": "+14155550123", "from": "+14155550100", "agent": "a", "params": {"k": "v"}, "ring_seconds": 20,
		"name": "Reception", "asserted": "+14155550199", "headers": {"X-Campaign": "autumn"}}`)
	if w.Code != http.StatusAccepted || body(t, w)["id"] != "7" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	want := admin.Outbound{
		To: "+14155550123", From: "+14155550100", Agent: "a", Params: map[string]string{"k": "v"}, RingTimeout: 20 * time.Second,
		Name: "Reception", Asserted: "+14155550199", Headers: map[string]string{"X-Campaign": "autumn"},
	}
	if d := cmp.Diff(want, placed); d != "" {
		t.Error(d)
	}
	if w := s.post("/api/v1/calls", `{"from": "+14155550100"}`); w.Code != http.StatusBadRequest {
		t.Errorf("a call to nobody: %d %s", w.Code, w.Body)
	}
	for _, seconds := range []string{"-1", "601"} {
		if w := s.post("/api/v1/calls", `{"to": "x", "ring_seconds": `+seconds+`}`); w.Code != http.StatusBadRequest {
			t.Errorf("%s s of ringing: %d %s", seconds, w.Code, w.Body)
		}
	}
	failure = fmt.Errorf("%w: there is no agent", admin.ErrRequest)
	if w := s.post("/api/v1/calls", `{"to": "x"}`); w.Code != http.StatusBadRequest {
		t.Errorf("a request for what cannot be: %d %s", w.Code, w.Body)
	}
	failure = errors.New("carrier down")
	if w := s.post("/api/v1/calls", `{"to": "x"}`); w.Code != http.StatusBadGateway {
		t.Errorf("a carrier that fails: %d %s", w.Code, w.Body)
	}
	if w := newSite("").post("/api/v1/calls", `{"to": "x"}`); w.Code != http.StatusNotImplemented {
		t.Errorf("a gateway without a way out: %d %s", w.Code, w.Body)
	}
}

func TestTheProcessIsReloadedAndDrained(t *testing.T) {
	failure := error(nil)
	drained := 0
	s := &site{handler: admin.NewHandler(admin.Config{
		Registry: bridge.NewRegistry(0),
		Reload:   func() ([]string, error) { return []string{"sip"}, failure },
		Drain:    func() { drained++ },
	})}
	w := s.post("/api/v1/reload", "")
	if d := cmp.Diff(map[string]any{"need_restart": []any{"sip"}}, body(t, w)); w.Code != http.StatusOK || d != "" {
		t.Errorf("%d %s", w.Code, d)
	}
	failure = errors.New("callgw.yaml:3:1: unknown key")
	if w := s.post("/api/v1/reload", ""); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "3:1") {
		t.Errorf("a faulty file: %d %s", w.Code, w.Body)
	}
	if w := s.post("/api/v1/drain", ""); w.Code != http.StatusAccepted || drained != 1 {
		t.Errorf("%d, drained %d times", w.Code, drained)
	}
	for _, path := range []string{"/api/v1/reload", "/api/v1/drain"} {
		if w := newSite("").post(path, ""); w.Code != http.StatusNotImplemented {
			t.Errorf("%s where it cannot be: %d", path, w.Code)
		}
	}
}

func TestEventsAreStreamed(t *testing.T) {
	events := admin.NewEvents()
	server := httptest.NewServer(admin.NewHandler(admin.Config{Registry: bridge.NewRegistry(0), Events: events}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()

	// The header has come; whether the subscription has is told by an event.
	lines := bufio.NewScanner(response.Body)
	got := make(chan string, 1)
	go func() {
		defer close(got)
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				got <- text
				return
			}
		}
	}()
	event := bridge.Event{Offset: 1500 * time.Microsecond, Name: bridge.EventDigit, Attrs: []bridge.Attr{{Key: "digit", Value: "5"}}}
	publish := time.NewTicker(5 * time.Millisecond)
	defer publish.Stop()
	for {
		select {
		case text := <-got:
			var e map[string]any
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				t.Fatal(err)
			}
			at, _ := e["time"].(string)
			if when, err := time.Parse(time.RFC3339, at); err != nil || time.Since(when).Abs() > time.Minute {
				t.Errorf("the event is of %q: %v", at, err)
			}
			delete(e, "time")
			want := map[string]any{
				"call": "1", "leg": "sip", "event": "digit", "offset_ms": 1.5, "attrs": map[string]any{"digit": "5"},
			}
			if d := cmp.Diff(want, e); d != "" {
				t.Error(d)
			}
			return
		case <-publish.C:
			events.Publish(bridge.Facts{ID: "1", Leg: "sip"}, event)
		case <-time.After(10 * time.Second):
			t.Fatal("no event came")
		}
	}
}
