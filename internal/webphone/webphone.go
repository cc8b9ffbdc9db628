package webphone

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed page
var page embed.FS

// Path is where the page is served, below what a proxy takes away.
const Path = "/phone"

// policy lets the page use what this server sends, and nothing else in the world.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// types are the media types by extension: those of the system are not to be
// trusted, and a module of another type is not run.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// Register adds the page to mux, at [Path], and its files below.
func Register(mux *http.ServeMux) error {
	files, err := fs.ReadDir(page, "page")
	if err != nil {
		return fmt.Errorf("webphone: %w", err)
	}
	for _, file := range files {
		content, err := page.ReadFile("page/" + file.Name())
		if err != nil {
			return fmt.Errorf("webphone: %w", err)
		}
		at := Path + "/" + file.Name()
		if file.Name() == "index.html" {
			at = Path
		}
		mux.Handle("GET "+at, serve(file.Name(), content))
	}
	mux.HandleFunc("GET "+Path+"/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", ".."+Path) // relative, as a proxy may have taken a prefix away
		w.WriteHeader(http.StatusPermanentRedirect)
	})
	return nil
}

// serve serves one file.
func serve(name string, content []byte) http.Handler {
	sum := sha256.Sum256(content)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", types[path.Ext(name)])
		h.Set("Content-Security-Policy", policy)
		h.Set("Permissions-Policy", "microphone=(self)")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache") // ask whether it has changed
		h.Set("ETag", tag)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	})
}
