package sip

import (
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// receive takes one message. The goroutine that reads the socket calls it, so
// that messages of one peer are handled in the order in which they came: an ACK
// before the BYE behind it, an INVITE before its CANCEL.
func (s *Server) receive(msg gosip.Message, from link) {
	switch m := msg.(type) {
	case *gosip.Request:
		s.request(m, from)
	case *gosip.Response:
		if t := s.clientTxs.find(m); t != nil {
			t.receive(m)
		}
	}
}

func (s *Server) request(req *gosip.Request, from link) {
	if req.Method == gosip.ACK {
		s.ack(req)
		return
	}
	if !answerable(req) {
		s.faulty.Add(1)
		s.cfg.Metrics.drop(dropMalformed)
		return
	}
	markVia(req, from.remote)
	if f := check(req); f != nil {
		s.refuse(req, from, f)
		return
	}
	if req.Method == gosip.CANCEL {
		s.cancel(req, from)
		return
	}
	if t := s.serverTxs.find(req, req.Method); t != nil {
		t.again(req)
		return
	}
	whose, ok := s.identify(req, from)
	if !ok {
		return
	}
	if st, ok := from.hop.(*stream); ok {
		st.heeded.Store(true)
	}
	t, fresh, err := s.serverTxs.open(req, from)
	switch {
	case err != nil:
		s.lost(from, err)
	case !fresh:
		t.again(req)
	default:
		s.route(t, from, whose)
	}
}

// refuse answers a request that no transaction is worth (RFC 3261 §8.2.7).
func (s *Server) refuse(req *gosip.Request, from link, f *fault) {
	s.faulty.Add(1)
	s.log.Debug().Stringer("peer", from.remote).Stringer("method", req.Method).Int("status", f.status).Str("fault", f.what).Msg("request refused")
	if err := replyTo(req, from).write(s.reply(req, f.status, s.sameTag(req), f.headers...)); err != nil {
		s.lost(from, err)
	}
}

// sameTag returns a To tag that is the same for every copy of a request (RFC 3261
// §8.2.7).
func (s *Server) sameTag(req *gosip.Request) string {
	return strconv.FormatUint(maphash.String(s.seed, req.Via().Value()+callID(req)), 36)
}

// reply is [reply] with the server's own headers.
func (s *Server) reply(req *gosip.Request, status int, tag string, headers ...gosip.Header) *gosip.Response {
	res := reply(req, status, tag, headers...)
	if status > 100 {
		res.AppendHeader(header("Server", s.cfg.UserAgent))
	}
	return res
}

// answer responds to t, logging what cannot be sent.
func (s *Server) answer(t *serverTx, status int, headers ...gosip.Header) {
	s.respond(t, s.reply(t.req, status, newTag(), headers...))
}

func (s *Server) respond(t *serverTx, res *gosip.Response) {
	if err := t.respond(res); err != nil {
		s.log.Debug().Err(err).Int("status", res.StatusCode).Msg("response not sent")
	}
}

// ack takes an ACK: of a failure response by its transaction, of a 2xx by the
// dialog. Nothing answers an ACK; one that belongs nowhere is dropped.
func (s *Server) ack(req *gosip.Request) {
	if req.Via() == nil || req.CSeq() == nil || req.CallID() == nil {
		s.faulty.Add(1)
		return
	}
	if t := s.serverTxs.find(req, gosip.INVITE); t != nil {
		t.ack(req)
	}
	if c := s.calls.of(req); c != nil {
		c.acknowledged(req)
	}
}

// cancel ends the INVITE that has the CANCEL's branch (RFC 3261 §9.2). It is
// answered without a transaction, a repetition like the first: sipgo's would
// never end, for it sends the answer to a CANCEL past its state.
func (s *Server) cancel(req *gosip.Request, from link) {
	status, tag := gosip.StatusCallTransactionDoesNotExists, s.sameTag(req)
	var c *Call
	if invite := s.serverTxs.find(req, gosip.INVITE); invite != nil {
		// Without a call it is a re-INVITE or already refused: too late, but
		// no error.
		status, c = gosip.StatusOK, invite.owner()
	}
	if c != nil {
		tag = c.local // §9.2: the one of the responses to the INVITE
	}
	if err := replyTo(req, from).write(s.reply(req, status, tag)); err != nil {
		s.lost(from, err)
	}
	if c != nil {
		c.cancelled()
	}
}

// route hands a new request to whom it concerns.
func (s *Server) route(t *serverTx, from link, whose *trunk) {
	req := t.req
	if toTag(req) != "" {
		if c := s.calls.of(req); c != nil {
			c.handle(t, from)
			return
		}
		if a := s.attempts.of(req); a != nil {
			a.handle(t, from)
			return
		}
		// RFC 3261 §12.2.2: the dialog is not, or no longer, known.
		s.answer(t, gosip.StatusCallTransactionDoesNotExists)
		return
	}
	if f := s.unsupported(req); f != nil {
		s.answer(t, f.status, f.headers...)
		return
	}
	switch req.Method {
	case gosip.INVITE:
		s.invite(t, from, whose)
	case gosip.OPTIONS:
		s.describe(t, from)
	case gosip.BYE, gosip.INFO, gosip.UPDATE, gosip.PRACK, gosip.NOTIFY:
		s.answer(t, gosip.StatusCallTransactionDoesNotExists)
	case gosip.REFER:
		s.answer(t, s.cfg.ReferStatus, header("Allow", allowed))
	default:
		s.notAllowed(t)
	}
}

// known are the methods of which this agent knows that it does not do them.
var known = []gosip.RequestMethod{
	gosip.REGISTER, gosip.SUBSCRIBE, gosip.NOTIFY, gosip.REFER, gosip.MESSAGE, gosip.PRACK, gosip.PUBLISH,
}

// notAllowed answers a method that is not done here (RFC 3261 §8.2.1): 405, or
// 501 when the method itself is unknown (§21.5.2).
func (s *Server) notAllowed(t *serverTx) {
	status := gosip.StatusNotImplemented
	for _, m := range known {
		if t.req.Method == m {
			status = gosip.StatusMethodNotAllowed
		}
	}
	s.answer(t, status, header("Allow", allowed))
}

// describe says what an INVITE would meet (RFC 3261 §11.2).
func (s *Server) describe(t *serverTx, from link) {
	if s.draining.Load() {
		s.answer(t, gosip.StatusServiceUnavailable, s.retryAfter())
		return
	}
	s.answer(t, gosip.StatusOK,
		header("Allow", allowed), header("Accept", sdpType),
		header("Accept-Encoding", "identity"), header("Accept-Language", "en"),
		s.supported(), s.contact(from))
}

func (s *Server) retryAfter() gosip.Header {
	return retryAfter(int((s.cfg.RetryAfter + 999_999_999) / 1_000_000_000))
}

// content returns the fault of a body that is compressed (RFC 3261 §8.2.3), or
// of a peer that would not take a session description in the response (§20.1).
func content(req *gosip.Request) *fault {
	if accept := list(req, "Accept"); len(accept) > 0 && !slices.ContainsFunc(accept, takesSDP) {
		return &fault{status: gosip.StatusNotAcceptable, what: "Accept"}
	}
	if enc := list(req, "Content-Encoding"); len(enc) > 0 && !strings.EqualFold(enc[0], "identity") {
		return &fault{
			status: gosip.StatusUnsupportedMediaType, what: "Content-Encoding",
			headers: []gosip.Header{header("Accept-Encoding", "identity")},
		}
	}
	return nil
}

func takesSDP(mediaRange string) bool {
	switch mediaType(mediaRange) {
	case sdpType, "application/*", "*/*":
		return true
	}
	return false
}

// reject refuses an INVITE for a reason that the operator counts.
func (s *Server) reject(t *serverTx, trunk string, cause media.Cause, status int, headers ...gosip.Header) {
	if status == gosip.StatusServiceUnavailable {
		headers = append(headers, s.retryAfter())
	}
	s.answer(t, status, headers...)
	s.cfg.Rejected(trunk, cause)
}
