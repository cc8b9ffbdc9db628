package admin

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// intrudes tells whether r comes from another site's page, in a browser on this
// machine, to which an interface without a token is open: it would place calls behind
// its user's back. A name may have been made to lead here (DNS rebinding), an address
// and localhost cannot be.
func intrudes(r *http.Request) bool {
	if !unmistakable(r.Host) {
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" { // a program
		return false
	}
	page, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(page.Host, r.Host)
}

// unmistakable tells whether nobody but its owner can decide where host leads, which
// may have a port.
func unmistakable(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host == "" || strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}
