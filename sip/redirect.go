package sip

import (
	"cmp"
	"slices"
	"strconv"

	gosip "github.com/emiago/sipgo/sip"
)

// follow returns the INVITE for the best contact of a 3xx, and the way there
// (RFC 3261 §8.1.3.4). ok is false when there is none that can be called.
func (a *attempt) follow(req *gosip.Request, res *gosip.Response) (next *gosip.Request, to link, ok bool) {
	for _, uri := range contacts(res) {
		if uri.Scheme != "sip" && uri.Scheme != "sips" {
			continue
		}
		targets, err := a.s.targets(a.ctx, a.trunk.next(uri), link{})
		if err != nil {
			continue
		}
		to, others, err := a.s.reachOne(a.ctx, targets)
		if err != nil {
			continue
		}
		a.redirects++
		a.others = others
		next = anew(req)
		next.Recipient = uri
		for _, name := range []string{"Authorization", "Proxy-Authorization"} {
			for next.RemoveHeader(name) { // they were for somebody else
			}
		}
		next.ReplaceHeader(a.s.contactFor(to, uri.IsEncrypted()))
		return next, to, true
	}
	return nil, link{}, false
}

// contacts returns the URIs of res' Contact headers, those with a greater q first.
func contacts(res *gosip.Response) []gosip.Uri {
	type weighed struct {
		uri gosip.Uri
		q   float64
	}
	var all []weighed
	for _, h := range res.GetHeaders("Contact") {
		c, ok := h.(*gosip.ContactHeader)
		if !ok || c.Address.Wildcard {
			continue
		}
		w := weighed{*c.Address.Clone(), 1}
		if q, err := strconv.ParseFloat(c.Params.GetOr("q", "1"), 64); err == nil {
			w.q = q
		}
		w.uri.Headers = nil // §19.1.5: nobody puts headers into our requests
		all = append(all, w)
	}
	slices.SortStableFunc(all, func(a, b weighed) int { return cmp.Compare(b.q, a.q) })
	uris := make([]gosip.Uri, len(all))
	for i, w := range all {
		uris[i] = w.uri
	}
	return uris
}
