package sip

import (
	"crypto/rand"
	"strconv"
	"strings"

	gosip "github.com/emiago/sipgo/sip"
)

// reasons are the phrases of RFC 3261 §21 and later RFCs for the statuses that
// this package sends of itself or on behalf of a cause.
var reasons = map[int]string{
	100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK",
	302: "Moved Temporarily",
	400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
	406: "Not Acceptable", 415: "Unsupported Media Type",
	416: "Unsupported URI Scheme", 420: "Bad Extension", 422: "Session Interval Too Small", 480: "Temporarily Unavailable",
	481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops", 486: "Busy Here",
	487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
	500: "Server Internal Error", 501: "Not Implemented", 503: "Service Unavailable", 505: "Version Not Supported",
	513: "Message Too Large", 600: "Busy Everywhere", 603: "Decline", 606: "Not Acceptable",
}

// Methods that this user agent understands, as Allow lists them.
var allowed = strings.Join([]string{"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "PRACK"}, ", ")

// sdpType is the only body that a dialog may carry to begin with.
const sdpType = "application/sdp"

// newTag returns a tag that no other has (RFC 3261 §19.3).
func newTag() string { return rand.Text()[:16] }

// reply makes a response to req. The To tag is tag unless req has one already;
// 100 carries none (RFC 3261 §8.2.6.2).
func reply(req *gosip.Request, status int, tag string, headers ...gosip.Header) *gosip.Response {
	res := gosip.NewResponseFromRequest(req, status, reasons[status], nil)
	res.SipVersion = "SIP/2.0"
	if to := res.To(); to != nil && status > 100 && toTag(req) == "" {
		to.Params.Add("tag", tag)
	}
	// What could not be understood goes back as it came.
	for _, name := range []string{"From", "To", "Call-ID", "CSeq"} {
		if res.GetHeader(name) == nil {
			for _, h := range req.GetHeaders(name) {
				res.AppendHeader(gosip.HeaderClone(h))
				break
			}
		}
	}
	for _, h := range headers {
		res.AppendHeader(h)
	}
	return res
}

// header is a header kept as text.
func header(name, value string) gosip.Header { return gosip.NewHeader(name, value) }

func retryAfter(seconds int) gosip.Header { return header("Retry-After", strconv.Itoa(seconds)) }

// withSDP gives msg an SDP body.
func withSDP(msg gosip.Message, body []byte) {
	msg.AppendHeader(header("Content-Type", sdpType))
	msg.SetBody(body)
}
