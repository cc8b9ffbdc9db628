package mediastream

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/bridge/media"
)

// sharedParameter carries the secret, or a ticket, in the start message of
// peers that cannot set headers, such as browsers.
const sharedParameter = "token"

// admit tells whether a request for a socket that begins a call shows one of
// the secrets: as a bearer token, or as the password of basic authentication.
func (h *Handler) admit(r *http.Request) bool {
	shown, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		_, shown, _ = r.BasicAuth()
	}
	return h.knows(shown)
}

// letsIn tells whether r may be upgraded and show its secret later.
func (p *profile) letsIn(r *http.Request) bool {
	return p.late && r.Header.Get("Authorization") == ""
}

// refuseSecret answers a request that does not show one of Config.AuthTokens, and
// how it may.
func (h *Handler) refuseSecret(w http.ResponseWriter, r *http.Request, scheme string) {
	h.reject(r, rejectSignature)
	w.Header().Set("WWW-Authenticate", scheme+` realm="callgw"`)
	http.Error(w, "wrong secret", http.StatusUnauthorized)
}

// trusts tells whether secret is one of ours, or a ticket, which is used up.
func (h *Handler) trusts(secret string) bool {
	return h.knows(secret) || h.tickets.claim(secret, time.Now())
}

// knows tells whether secret is one of ours.
func (h *Handler) knows(secret string) bool {
	known := false
	for _, token := range h.cfg.AuthTokens {
		// An unset token would let everybody in.
		known = token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(secret)) == 1 || known
	}
	return known
}

// bear makes a call of a socket whose start message was read, and hands it
// over. It returns nil if it did.
func (h *Handler) bear(r *http.Request, sock *socket, st start) error {
	params := st.params
	if params == nil {
		params = make(url.Values)
	}
	for name, values := range r.URL.Query() {
		params[name] = values
	}
	if st.call == "" {
		st.call = rand.Text()
	}
	lowered(params)
	if h.profile.next != "" {
		asteriskResult(params)
	}
	params.Set("CallSid", st.call)
	params.Set("AccountSid", st.account)
	params.Set("Direction", "inbound")
	s := newStream(h, params)
	if err := s.attach(sock, st); err != nil {
		return err
	}
	if !h.remember(s) {
		h.reject(r, rejectDuplicate)
		return faultCall
	}
	undecided := time.NewTimer(h.cfg.AnswerTimeout)
	defer undecided.Stop()
	var cause error = media.Internal
	select {
	case h.arrivals <- s:
		return nil
	case <-h.drain:
		h.reject(r, rejectDraining)
		cause = media.Shutdown
	case <-undecided.C: // Run is not running
	}
	s.end(cause)
	h.forget(s)
	return cause
}

// accept answers a call that began with its socket.
func (s *Stream) accept() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
		return s.cause
	case s.answered:
		return errors.New("mediastream: answer: the call is answered")
	}
	s.answered = true
	s.nudge()
	return nil
}

// answerDue tells, once, that the carrier must be told of the answer.
func (s *Stream) answerDue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := s.answered && !s.told && len(s.out.answer) > 0
	s.told = s.told || due
	return due
}

// sayAnswer tells the carrier of the answer when it is due.
func (w *writer) sayAnswer() error {
	if !w.s.answerDue() {
		return nil
	}
	return w.write(websocket.TextMessage, w.s.out.answer)
}
