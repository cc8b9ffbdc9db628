package gateway

import (
	"net/http"
	"net/netip"
	"strings"
)

// behind serves requests as from those for whom trusted proxies pass them on, so
// that logs name who was refused. Who was not believed to be a proxy cannot make a
// request another's; what is signed is checked against the public URL all the same.
func behind(trusted []netip.Prefix, next http.Handler) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if from, ok := forwarded(trusted, r); ok {
			r.RemoteAddr = from.String()
		}
		next.ServeHTTP(w, r)
	})
}

// forwarded returns the last address in X-Forwarded-For that is not a proxy's, as
// each of them appends where the request came from.
func forwarded(trusted []netip.Prefix, r *http.Request) (netip.Addr, bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	at := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && among(trusted, at); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break // nobody before it can be believed
		}
		at = hop.Unmap()
	}
	return at, at != peer.Addr().Unmap()
}

func among(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}
