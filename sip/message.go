package sip

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	gosip "github.com/emiago/sipgo/sip"
)

// compact holds the short names of headers that sipgo keeps as text
// (RFC 3261 §7.3.3).
var compact = map[string]string{
	"Supported": "k", "Subject": "s", "Content-Encoding": "e", "Event": "o",
	"Refer-To": "r", "Referred-By": "b", "Session-Expires": "x", "Identity": "y",
}

// spelt returns the name of a header in full.
func spelt(name string) string {
	if len(name) == 1 {
		for full, short := range compact {
			if strings.EqualFold(short, name) {
				return full
			}
		}
	}
	return name
}

// values returns every value of a header, in order, in either spelling.
func values(msg gosip.Message, name string) []string {
	hs := msg.GetHeaders(name)
	if short, ok := compact[name]; ok {
		hs = append(hs, msg.GetHeaders(short)...)
	}
	vs := make([]string, len(hs))
	for i, h := range hs {
		vs[i] = h.Value()
	}
	return vs
}

// list returns the items of a comma-separated header.
func list(msg gosip.Message, name string) []string {
	var items []string
	for _, v := range values(msg, name) {
		for item := range strings.SplitSeq(v, ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, item)
			}
		}
	}
	return items
}

// lists reports whether the header of that name lists the item.
func lists(msg gosip.Message, name, item string) bool {
	return slices.ContainsFunc(list(msg, name), func(have string) bool { return strings.EqualFold(have, item) })
}

func fromTag(msg gosip.Message) string {
	if h := msg.From(); h != nil {
		return h.Params.GetOr("tag", "")
	}
	return ""
}

func toTag(msg gosip.Message) string {
	if h := msg.To(); h != nil {
		return h.Params.GetOr("tag", "")
	}
	return ""
}

func callID(msg gosip.Message) string {
	if h := msg.CallID(); h != nil {
		return h.Value()
	}
	return ""
}

// mediaType returns a body's type without parameters, in lower case.
func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// contentType returns the type of msg's body, "" when it has none.
func contentType(msg interface {
	ContentType() *gosip.ContentTypeHeader
},
) string {
	if h := msg.ContentType(); h != nil {
		return h.Value()
	}
	return ""
}

// markVia writes into the top Via where the request really came from
// (RFC 3261 §18.2.1, RFC 3581 §4), so that every response carries it.
func markVia(req *gosip.Request, from netip.AddrPort) {
	via := req.Via()
	if via == nil {
		return
	}
	host := from.Addr().WithZone("").String()
	rport := via.Params.Has("rport")
	if rport {
		via.Params.Add("rport", strconv.Itoa(int(from.Port())))
	}
	if rport || strings.Trim(via.Host, "[]") != host {
		via.Params.Add("received", host)
	} else {
		via.Params.Remove("received") // a client's own word for it counts for nothing
	}
}

// replyTo returns where a response over UDP goes: to the source's address, at
// the source's port when the client asked for it with rport (RFC 3581 §4), else
// at the port that its Via names (RFC 3261 §18.2.2).
func replyTo(req *gosip.Request, from link) link {
	via := req.Via()
	if from.reliable() || via == nil || via.Params.Has("rport") {
		return from
	}
	port := via.Port
	if port <= 0 || port > 65535 {
		port = gosip.DefaultUdpPort
	}
	from.remote = netip.AddrPortFrom(from.remote.Addr(), uint16(port))
	return from
}

// txKey names the transaction that msg belongs to (RFC 3261 §17.2.3). method is
// that of the request which opened it.
func txKey(msg gosip.Message, method gosip.RequestMethod) string {
	via := msg.Via()
	branch := via.Params.GetOr("branch", "")
	if id, ok := strings.CutPrefix(branch, gosip.RFC3261BranchMagicCookie); ok && id != "" {
		return strings.Join([]string{branch, via.SentBy(), string(method)}, "\x00")
	}
	// RFC 2543 clients: everything that a retransmission has in common.
	parts := []string{via.SentBy(), branch, callID(msg), strconv.Itoa(int(msg.CSeq().SeqNo)), fromTag(msg), string(method)}
	return strings.Join(parts, "\x00")
}

// single are the headers that a message may have only once (RFC 3261 §7.3.1).
var single = []string{"From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type"}

// repeated returns the name of a header that appears twice and must not, or "".
func repeated(req *gosip.Request) string {
	seen := make([]string, 0, len(single))
	for _, h := range req.Headers() {
		for _, name := range single {
			if strings.EqualFold(h.Name(), name) {
				if slices.Contains(seen, name) {
					return name
				}
				seen = append(seen, name)
			}
		}
	}
	return ""
}
