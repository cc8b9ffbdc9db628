package mediastream

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

const (
	// maxForm bounds the body of a webhook.
	maxForm = 64 << 10
	// formTimeout is how long it may take to come: who sent it is known only then.
	formTimeout = 5 * time.Second
)

var errSuperseded = fmt.Errorf("mediastream: webhook: asked again: %w", media.CallerCancelled)

// voice serves the voice webhook: the call rings until the response, which is
// held back until the call is decided.
func (h *Handler) voice(w http.ResponseWriter, r *http.Request) {
	params, ok := h.form(w, r)
	if !ok {
		return
	}
	if params.Has(paramEvent) {
		h.controlled(w, r, params)
		return
	}
	h.ring(w, r, params, false)
}

// ring answers the webhook of a call when it is decided; returned: it was
// answered before and comes back from a failed transfer.
func (h *Handler) ring(w http.ResponseWriter, r *http.Request, params url.Values, returned bool) {
	if params.Get("CallSid") == "" {
		h.reject(r, rejectRequest)
		http.Error(w, "no CallSid", http.StatusBadRequest)
		return
	}
	s := newStream(h, params)
	s.returned = returned
	if !h.remember(s) {
		h.reject(r, rejectDuplicate)
		switch {
		case !returned:
			h.answer(w, h.profile.answers.reject(media.Rejected))
		case h.stream(s.call) != nil:
			w.WriteHeader(http.StatusNoContent) // it is back, and goes on
		default:
			h.answer(w, h.profile.answers.hangup())
		}
		return
	}
	h.await(r, s, func(document string) bool { return h.answer(w, document) })
}

// await lets a call that is remembered ring until it is decided, and tells the
// carrier by reply, which returns false if the carrier is gone.
func (h *Handler) await(r *http.Request, s *Stream, reply func(document string) bool) {
	undecided := time.NewTimer(h.cfg.AnswerTimeout)
	defer undecided.Stop()
	select {
	case h.arrivals <- s:
	case <-h.drain:
		h.forget(s)
		h.reject(r, rejectDraining)
		reply(h.refusal(s, media.Shutdown))
		return
	case <-undecided.C: // Run is not running
		s.end(media.Internal)
		h.forget(s)
	case <-r.Context().Done():
		s.end(media.CallerCancelled)
		h.forget(s)
		return
	}
	decided := false
	select {
	case <-s.ended:
		decided = true
	case document := <-s.reply:
		if !reply(document) {
			s.end(media.CallerCancelled)
		}
		return
	case <-undecided.C:
		s.end(fmt.Errorf("mediastream: webhook: no decision within %v: %w", h.cfg.AnswerTimeout, media.NoAnswer))
	case <-r.Context().Done():
		s.end(media.CallerCancelled)
		return
	}
	if reply(h.refusal(s, media.CauseOf(s.err()))) && decided {
		h.settle(s)
	}
}

// refusal returns what a caller gets whose call is not answered, or not again.
func (h *Handler) refusal(s *Stream, cause media.Cause) string {
	if h.cfg.Say != nil {
		if sentence := h.cfg.Say(cause); sentence != "" {
			return s.profile.answers.say(sentence)
		}
	}
	if s.returned {
		return s.profile.answers.hangup() // a call that was answered cannot be rejected
	}
	return s.profile.answers.reject(cause)
}

// form reads and authenticates a webhook's parameters. It answers the request
// if it returns false.
func (h *Handler) form(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	body, err := readForm(w, r)
	if err == nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
		err = r.ParseForm()
	}
	if err != nil {
		h.reject(r, rejectRequest)
		http.Error(w, "malformed form", http.StatusBadRequest)
		return nil, false
	}
	// Parameters of a GET are part of the URL, and signed as such.
	if !h.authentic(r, h.cfg.origin()+target(r), r.PostForm, body) {
		h.reject(r, rejectSignature)
		http.Error(w, "signature does not match", http.StatusForbidden)
		return nil, false
	}
	params, err := h.profile.requests.params(r, body)
	if err != nil {
		h.reject(r, rejectRequest)
		http.Error(w, "malformed parameters", http.StatusBadRequest)
		return nil, false
	}
	if h.cfg.AccountSID != "" && params.Get("AccountSid") != h.cfg.AccountSID {
		h.reject(r, rejectAccount)
		http.Error(w, "unknown account", http.StatusForbidden)
		return nil, false
	}
	return params, true
}

// readForm reads the body of a webhook, in time. The answer may take longer. The
// deadline of a body that does not end stays: the server would wait for the rest.
// Where w knows no deadlines, somebody else has to.
func readForm(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(formTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err == nil {
		_ = conn.SetReadDeadline(time.Time{})
	}
	return body, err
}

// answer writes a document that tells the carrier what to do with the call.
func (h *Handler) answer(w http.ResponseWriter, document string) bool {
	w.Header().Set("Content-Type", h.profile.answers.contentType)
	_, err := io.WriteString(w, document)
	return err == nil
}
