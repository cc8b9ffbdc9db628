package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/callgw/callgw/internal/gateway"
)

func TestProxiesAreBelievedIfTheyAreTrusted(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for name, c := range map[string]struct {
		trusted []netip.Prefix
		remote  string
		header  []string
		want    string
	}{
		"nobody is trusted":        {nil, "10.0.0.1:4000", []string{"203.0.113.7"}, "10.0.0.1:4000"},
		"no proxy":                 {trusted, "203.0.113.7:4000", nil, "203.0.113.7:4000"},
		"somebody plays a proxy":   {trusted, "203.0.113.7:4000", []string{"198.51.100.1"}, "203.0.113.7:4000"},
		"a proxy":                  {trusted, "10.0.0.1:4000", []string{"203.0.113.7"}, "203.0.113.7"},
		"two proxies":              {trusted, "10.0.0.1:4000", []string{"203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		"two headers":              {trusted, "[2001:db8::1]:4000", []string{"203.0.113.7", "10.0.0.2"}, "203.0.113.7"},
		"the client adds a hop":    {trusted, "10.0.0.1:4000", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		"a hop that is none":       {trusted, "10.0.0.1:4000", []string{"203.0.113.7, unknown, 10.0.0.2"}, "10.0.0.2"},
		"a proxy that says naught": {trusted, "10.0.0.1:4000", nil, "10.0.0.1:4000"},
		"IPv4 in IPv6":             {trusted, "[::ffff:10.0.0.1]:4000", []string{"203.0.113.7"}, "203.0.113.7"},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			h := gateway.Behind(c.trusted, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr }))
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/twilio/voice", nil)
			r.RemoteAddr = c.remote
			r.Header["X-Forwarded-For"] = c.header
			h.ServeHTTP(httptest.NewRecorder(), r)
			if got != c.want {
				t.Errorf("from %s, want %s", got, c.want)
			}
		})
	}
}
