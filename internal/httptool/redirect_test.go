package httptool_test

import (
	"net/http"
	"testing"

	"github.com/callgw/callgw/internal/httptool"
)

func TestRedirects(t *testing.T) {
	strangerAsked := false
	stranger, _ := serve(t, func(http.ResponseWriter, *http.Request) { strangerAsked = true })
	base, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if err := httptool.VerifyRequest(secret, r); err != nil {
			t.Errorf("%s %s: %v", r.Method, r.RequestURI, err)
		}
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/here", http.StatusMovedPermanently)
		case "/kept":
			http.Redirect(w, r, "/here", http.StatusPermanentRedirect)
		case "/away":
			http.Redirect(w, r, stranger+"/here", http.StatusTemporaryRedirect)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusTemporaryRedirect)
		case "/here":
			_, _ = w.Write([]byte("here by " + r.Method))
		}
	})
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/moved", "here by GET"},
		{"GET", "/kept", "here by GET"},
		{"POST", "/kept", "here by POST"},
		{"POST", "/moved", "the tool answered 301"}, // it would become a GET
		{"POST", "/away", "the tool answered 307"},
		{"GET", "/away", "the tool answered 307"},
		{"GET", "/loop", "the tool answered 307"},
	} {
		got, err := tool(t, httptool.Config{Method: c.method, URL: base + c.path, Client: client, Secret: secret}).Call(t.Context(), weather)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s %s: %q, want %q", c.method, c.path, got, c.want)
		}
	}
	if strangerAsked {
		t.Error("another host was asked")
	}
}
