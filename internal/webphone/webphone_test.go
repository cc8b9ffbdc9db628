package webphone_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/webphone"
)

func serve(t *testing.T) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	if err := webphone.Register(mux); err != nil {
		t.Fatal(err)
	}
	return mux
}

func get(h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestThePageNeedsNothingFromElsewhere(t *testing.T) {
	h := serve(t)
	reference := regexp.MustCompile(`(?:src|href)="([^"]*)"|(?:from|URL\() ?"([^"]+\.js)"`)
	kinds := map[string]string{"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml", "/phone": "text/html; charset=utf-8"}
	seen := map[string]bool{}
	for pending := []string{"/phone"}; len(pending) > 0; pending = pending[1:] {
		at := pending[0]
		if seen[at] {
			continue
		}
		seen[at] = true
		w := get(h, at)
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", at, w.Code)
			continue
		}
		if got, want := w.Header().Get("Content-Type"), kinds[at[strings.LastIndex(at, ".")+1:]]; got != want {
			t.Errorf("%s: Content-Type %q, want %q", at, got, want)
		}
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "//") {
			t.Errorf("%s: Content-Security-Policy %q", at, policy)
		}
		base := &url.URL{Path: at}
		for _, match := range reference.FindAllStringSubmatch(w.Body.String(), -1) {
			to, err := base.Parse(match[1] + match[2])
			if err != nil || to.Host != "" || to.Scheme != "" {
				t.Errorf("%s refers to %s: %v", at, match[0], err)
				continue
			}
			pending = append(pending, to.Path)
		}
	}
	if len(seen) < 7 {
		t.Errorf("only %d files are referred to: %v", len(seen), seen)
	}
}

func TestFilesAreAskedForOnce(t *testing.T) {
	h := serve(t)
	first := get(h, "/phone/dsp.js")
	again := get(h, "/phone/dsp.js", "If-None-Match", first.Header().Get("ETag"))
	if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("status %d with %d bytes", again.Code, again.Body.Len())
	}
}

func TestOtherPaths(t *testing.T) {
	h := serve(t)
	if w := get(h, "/phone/"); w.Code != http.StatusPermanentRedirect || w.Header().Get("Location") != "../phone" {
		t.Errorf("status %d, %q", w.Code, w.Header().Get("Location"))
	}
	for _, path := range []string{"/", "/phone/index.html", "/phone/doc.go", "/phone/../phone.go"} {
		if w := get(h, path); w.Code == http.StatusOK {
			t.Errorf("%s is served", path)
		}
	}
}

// A gateway closes the socket with the name of the cause.
func TestThePageKnowsEveryCause(t *testing.T) {
	words := get(serve(t), "/phone/words.js").Body.String()
	for _, cause := range media.Causes() {
		switch cause {
		case media.CallerCancelled, media.UnknownTrunk, media.NotAcceptable, media.AnsweringMachine:
			continue // which a socket cannot be closed with, or not this page's
		}
		if !strings.Contains(words, "\n  "+cause.String()+": ") {
			t.Errorf("words.js has nothing to say of %s", cause)
		}
	}
}
