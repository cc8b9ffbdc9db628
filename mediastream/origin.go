package mediastream

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// intrudes tells whether r comes from another site's page, in the browser of
// somebody who can reach a gateway that asks for no secret: it would place calls
// behind that person's back. Where a secret is asked for, it says more than where
// the page is from (RFC 6455 §10.2). Programs name no origin.
func (h *Handler) intrudes(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if h.cfg.Validate || origin == "" {
		return false
	}
	page, err := url.Parse(origin)
	if err != nil || page.Host == "" { // such as "null"
		return true
	}
	public, err := url.Parse(h.cfg.PublicURL)
	if err == nil && strings.EqualFold(page.Host, public.Host) {
		return false
	}
	// A name that is not known to be ours may be an intruder's that leads here.
	return !strings.EqualFold(page.Host, r.Host) || !unmistakable(page.Hostname())
}

// refuseOrigin answers a request that intrudes.
func (h *Handler) refuseOrigin(w http.ResponseWriter, r *http.Request) {
	h.reject(r, rejectOrigin)
	http.Error(w, "pages of other sites are refused", http.StatusForbidden)
}

// unmistakable tells whether nobody but its owner can decide where host leads.
func unmistakable(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}
