package sip

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

// dialogID names a dialog from our side (RFC 3261 §12).
type dialogID struct{ callID, local, remote string }

// dialog is the state that requests within a call are built from (RFC 3261
// §12). It is guarded by its call's lock.
type dialog struct {
	id        dialogID
	from      gosip.FromHeader // us
	to        gosip.ToHeader   // the peer
	seq       uint32           // of our last request
	remoteSeq uint32           // of the peer's last
	target    gosip.Uri        // the peer's Contact
	routes    []gosip.Uri      // in the order in which our requests visit them
	link      link             // the way the dialog came about
	secure    bool             // the INVITE was for a sips URI
}

// uasDialog is the dialog that an INVITE of the peer's opens (§12.1.1).
func uasDialog(req *gosip.Request, from link, tag string) dialog {
	us := req.To().AsFrom()
	us.Params.Add("tag", tag)
	d := dialog{
		id:        dialogID{callID(req), tag, fromTag(req)},
		from:      us,
		to:        req.From().AsTo(),
		remoteSeq: req.CSeq().SeqNo,
		routes:    routeSet(req),
		target:    req.From().Address,
		link:      from,
		secure:    req.Recipient.IsEncrypted(),
	}
	d.refresh(req)
	return d
}

// uacDialog is the dialog that a 2xx to our INVITE opens (§12.1.2).
func uacDialog(req *gosip.Request, res *gosip.Response, to link) dialog {
	d := dialog{
		id:     dialogID{callID(req), fromTag(req), toTag(res)},
		from:   *req.From(),
		to:     *res.To(),
		seq:    req.CSeq().SeqNo,
		target: req.Recipient,
		routes: routeSet(res),
		link:   to,
		secure: req.Recipient.IsEncrypted(),
	}
	slices.Reverse(d.routes)
	d.refresh(res)
	return d
}

// routeSet returns the Record-Route URIs from top to bottom.
func routeSet(msg gosip.Message) []gosip.Uri {
	var routes []gosip.Uri
	for _, h := range msg.GetHeaders("Record-Route") {
		if rr, ok := h.(*gosip.RecordRouteHeader); ok {
			routes = append(routes, *rr.Address.Clone())
		}
	}
	return routes
}

// refresh takes over the Contact of a target refresh (§12.2).
func (d *dialog) refresh(msg gosip.Message) {
	for _, h := range msg.GetHeaders("Contact") {
		if c, ok := h.(*gosip.ContactHeader); ok && !c.Address.Wildcard && c.Address.Host != "" {
			d.target = *c.Address.Clone()
			return
		}
	}
}

// request builds the next request within the dialog (§12.2.1.1), without Via.
// An ACK takes the number of the INVITE it acknowledges, which is seq for it.
func (d *dialog) request(method gosip.RequestMethod, seq uint32) *gosip.Request {
	if method != gosip.ACK {
		d.seq++
		seq = d.seq
	}
	uri, routes := d.target, d.routes
	if len(routes) > 0 && !routes[0].UriParams.Has("lr") {
		// The first proxy is a strict router: it wants its own URI in the
		// request line and ours at the end (§16.12).
		uri, routes = routes[0], append(slices.Clone(routes[1:]), d.target)
	}
	req := gosip.NewRequest(method, *uri.Clone())
	for _, r := range routes {
		req.AppendHeader(&gosip.RouteHeader{Address: *r.Clone()})
	}
	maxForwards(req)
	req.AppendHeader(gosip.HeaderClone(&d.from))
	req.AppendHeader(gosip.HeaderClone(&d.to))
	id := gosip.CallIDHeader(d.id.callID)
	req.AppendHeader(&id)
	req.AppendHeader(&gosip.CSeqHeader{SeqNo: seq, MethodName: method})
	req.SetBody(nil)
	return req
}

// next returns the URI that the dialog's requests are sent to.
func (d *dialog) next() gosip.Uri {
	if len(d.routes) > 0 {
		return d.routes[0]
	}
	return d.target
}

// way finds the link for a request to uri within d's dialog.
func (s *Server) way(ctx context.Context, uri gosip.Uri, known link) (link, error) {
	if known.hop != nil && known.reliable() && known.open() {
		return known, nil // RFC 5923: the connection that is there
	}
	targets, err := s.targets(ctx, uri, known)
	switch {
	case err == nil:
	case ctx.Err() == nil && known.hop != nil && !known.reliable() && !uri.IsEncrypted():
		return known, nil // a name that DNS no longer knows: a call must not end for that
	default:
		return link{}, err
	}
	if t := targets[0]; known.hop != nil && t.network == "UDP" && !known.reliable() {
		if behindNAT(t.addr.Addr(), known.remote.Addr()) {
			return known, nil
		}
		return link{known.hop, t.addr}, nil
	}
	to, _, err := s.reachOne(ctx, targets)
	return to, err
}

// reachOne returns a link to the first of targets that can be reached, and those
// behind it (RFC 3263 §4.3).
func (s *Server) reachOne(ctx context.Context, targets []target) (to link, rest []target, err error) {
	for i, t := range targets {
		if to, err = s.reach(ctx, t); err == nil || ctx.Err() != nil {
			return to, targets[i+1:], err
		}
		s.shunned.add(t.addr, time.Now())
	}
	return link{}, nil, err
}

// behindNAT reports whether a Contact cannot be meant for us: it names an address
// of a narrower scope than that from which the peer's packets come.
func behindNAT(contact, source netip.Addr) bool {
	return scope(contact) < scope(source)
}

// carrierNAT is shared between a carrier's customers (RFC 6598).
var carrierNAT = netip.MustParsePrefix("100.64.0.0/10")

// scope is how far an address reaches: no further than its machine, its link, its
// site or carrier, or anywhere.
func scope(a netip.Addr) int {
	switch {
	case a.IsUnspecified():
		return 0
	case a.IsLoopback():
		return 1
	case a.IsLinkLocalUnicast():
		return 2
	case a.IsPrivate(), carrierNAT.Contains(a):
		return 3
	}
	return 4
}

// uriHost writes an address as the host of a URI (RFC 3261 §25.1).
func uriHost(addr netip.Addr) string {
	if addr.Is6() {
		return "[" + addr.WithZone("").String() + "]"
	}
	return addr.String()
}

// contact returns our Contact in d.
func (d *dialog) contact(s *Server) *gosip.ContactHeader { return s.contactFor(d.link, d.secure) }

// contactFor is contact, or a sips URI when the INVITE is for one (§8.1.1.8, §12.1.1).
func (s *Server) contactFor(l link, secure bool) *gosip.ContactHeader {
	h := s.contact(l)
	if secure {
		h.Address.Scheme = "sips"
		h.Address.UriParams.Remove("transport")
	}
	return h
}

// contact returns our Contact for a peer that l leads to.
func (s *Server) contact(l link) *gosip.ContactHeader {
	addr := s.address(l)
	uri := gosip.Uri{Scheme: "sip", User: "callgw", Host: uriHost(addr.Addr()), Port: int(addr.Port())}
	if l.reliable() {
		uri.UriParams.Add("transport", strings.ToLower(l.network()))
	}
	return &gosip.ContactHeader{Address: uri}
}

func cseq(msg gosip.Message) string { return strconv.Itoa(int(msg.CSeq().SeqNo)) }
