package sip

import (
	"slices"
	"strings"

	gosip "github.com/emiago/sipgo/sip"
)

// answerable reports whether a response to req could be matched by its sender:
// without Via there is no way back, without CSeq or Call-ID no one to take it.
func answerable(req *gosip.Request) bool {
	return req.Via() != nil && len(req.GetHeaders("CSeq")) > 0 && req.Method != gosip.ACK
}

// fault is why a request is refused before anybody looks at what it wants.
type fault struct {
	status  int
	headers []gosip.Header
	what    string
}

// check returns what is wrong with req, in the order of RFC 3261 §8.2, or nil.
// A request that passes has Via, From, To, Call-ID and a CSeq that fits.
func check(req *gosip.Request) *fault {
	bad := func(what string) *fault { return &fault{status: gosip.StatusBadRequest, what: what} }
	switch {
	case !strings.EqualFold(req.SipVersion, "SIP/2.0"):
		return &fault{status: gosip.StatusVersionNotSupported, what: "version " + req.SipVersion}
	case req.CallID() == nil:
		return bad("Call-ID")
	case req.From() == nil:
		return bad("From")
	case req.To() == nil:
		return bad("To")
	case req.CSeq() == nil:
		return bad("CSeq")
	case !strings.EqualFold(string(req.CSeq().MethodName), string(req.Method)):
		// RFC 3261 §8.1.1.5. The parser writes methods in capitals.
		return bad("CSeq method")
	}
	if name := repeated(req); name != "" {
		return bad("repeated " + name)
	}
	for _, h := range req.Headers() {
		if malformed(h) {
			return bad(h.Name())
		}
	}
	return nil
}

// understood are the names whose parsers yield a type of their own; a header of
// such a name that is still text made no sense.
var understood = []string{
	"via", "v", "from", "f", "to", "t", "call-id", "i", "cseq", "max-forwards",
	"content-length", "l", "contact", "m", "route", "record-route",
}

func malformed(h gosip.Header) bool {
	switch h.(type) {
	case *gosip.ViaHeader, *gosip.FromHeader, *gosip.ToHeader, *gosip.CallIDHeader, *gosip.CSeqHeader,
		*gosip.MaxForwardsHeader, *gosip.ContentLengthHeader, *gosip.ContactHeader,
		*gosip.RouteHeader, *gosip.RecordRouteHeader:
		return false
	}
	return slices.Contains(understood, strings.ToLower(h.Name()))
}

// unsupported returns the faults that only a request outside a dialog can have:
// a scheme that is not ours, hops used up, an extension that must be known.
func (s *Server) unsupported(req *gosip.Request) *fault {
	if scheme := strings.ToLower(req.Recipient.Scheme); scheme != "sip" && scheme != "sips" && scheme != "tel" {
		return &fault{status: 416, what: "scheme " + scheme}
	}
	// RFC 3261 §16.3: a gateway takes the call further, so a request that may
	// not go one hop more ends here; OPTIONS asks about this very hop.
	if mf := req.MaxForwards(); mf != nil && mf.Val() == 0 && req.Method != gosip.OPTIONS {
		return &fault{status: gosip.StatusTooManyHops, what: "Max-Forwards"}
	}
	return s.extensions(req)
}

// options are the extensions that this agent knows, for Supported.
func (s *Server) options() []string {
	own := []string{"100rel", "replaces"} // RFC 3262, RFC 3891
	if s.timers() {
		own = append(own, "timer") // RFC 4028
	}
	return own
}

func (s *Server) supported() gosip.Header {
	return header("Supported", strings.Join(s.options(), ", "))
}

// extensions refuses a request that requires an option this agent does not know
// (RFC 3261 §8.2.2.3). ACK and CANCEL are exempt.
func (s *Server) extensions(req *gosip.Request) *fault {
	if req.Method == gosip.ACK || req.Method == gosip.CANCEL {
		return nil
	}
	var strange []string
	for _, option := range list(req, "Require") {
		if !slices.ContainsFunc(s.options(), func(own string) bool { return strings.EqualFold(own, option) }) {
			strange = append(strange, option)
		}
	}
	if len(strange) == 0 {
		return nil
	}
	return &fault{
		status:  gosip.StatusBadExtension,
		headers: []gosip.Header{header("Unsupported", strings.Join(strange, ", "))},
		what:    "Require",
	}
}
