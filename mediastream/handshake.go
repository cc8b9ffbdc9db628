package mediastream

import (
	"errors"
	"net/http"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// media serves the WebSocket. It is accepted at once; what it is worth shows
// in its start message, and until then nothing of value hangs on it.
func (h *Handler) media(w http.ResponseWriter, r *http.Request) {
	if !h.profile.born && !h.profile.requests.upgradeUnsigned && !h.authentic(r, h.cfg.streamURL("")+target(r), nil, nil) {
		h.reject(r, rejectSignature)
		http.Error(w, "signature does not match", http.StatusForbidden)
		return
	}
	if h.profile.born && !h.profile.letsIn(r) && h.cfg.Validate && !h.admit(r) {
		h.refuseSecret(w, r, "Basic")
		return
	}
	if h.profile.born && h.intrudes(r) {
		h.refuseOrigin(w, r)
		return
	}
	sock, err := upgrade(w, r, h.profile.subprotocol, time.Now().Add(h.cfg.StartTimeout))
	if err != nil {
		h.reject(r, rejectUpgrade)
		return
	}
	sock.token = r.PathValue(tokenSegment)
	if !h.open(sock) {
		sock.sendClose(media.Shutdown.CloseCode(), media.Shutdown.String())
		_ = sock.Close()
		return
	}
	defer h.openings.Done()
	s, st, err := h.shake(r, sock)
	h.opened(sock)
	switch {
	case err != nil:
	case h.profile.born:
		err = h.bear(r, sock, st)
	default:
		err = s.attach(sock, st)
	}
	if err == nil {
		return
	}
	if s != nil {
		s.end(err)
	} else if f := (*fault)(nil); errors.As(err, &f) {
		h.cfg.Metrics.faults[f.reason].Inc()
		h.cfg.Log.Debug().Err(err).Str("remote", r.RemoteAddr).Msg("socket refused")
	}
	sock.refuse(err)
}

// shake reads the messages that begin a stream. The stream is nil if the token
// names none, or if it begins a call.
func (h *Handler) shake(r *http.Request, sock *socket) (*Stream, start, error) {
	var m message
	if h.profile.connected {
		if err := h.expect(sock, &m, eventConnected); err != nil {
			return nil, start{}, err
		}
	}
	if err := h.expect(sock, &m, eventStart); err != nil {
		return nil, start{}, err
	}
	st, err := h.profile.readStart(&m)
	if err != nil {
		return nil, start{}, faultMalformed
	}
	if h.profile.born {
		switch {
		case h.cfg.Validate && h.profile.letsIn(r) && !h.trusts(st.parameters[sharedParameter]):
			return nil, start{}, faultToken
		case h.profile.checkFormat(st) != nil:
			return nil, start{}, faultFormat
		}
		return nil, st, nil
	}
	promised := h.tokens.claim(h.profile.tokenOf(sock, st))
	if promised == nil {
		return nil, start{}, faultToken
	}
	// A phone that we call may answer before the carrier has told us the call.
	s := promised.within(h.cfg.StartTimeout)
	if s == nil {
		return nil, start{}, faultToken
	}
	// The token is spent even if it came with the wrong call: then it leaked.
	if !s.profile.unbound && (st.call != s.call || st.account != "" && s.account != "" && st.account != s.account) {
		return s, start{}, faultCall
	}
	if err := h.profile.checkFormat(st); err != nil {
		s.log.Debug().Err(err).Msg("start refused")
		return s, start{}, faultFormat
	}
	return s, st, nil
}

// expect reads the next known message into m, which must be of this kind.
func (h *Handler) expect(sock *socket, m *message, kind event) error {
	for {
		text, binary, err := sock.next()
		switch {
		case errors.Is(err, errCutoff):
			return faultNoStart
		case err != nil:
			return readFault(err)
		case binary && h.profile.binary == noBinary:
			return faultBinary
		case binary:
			// Audio may precede the message that announces it.
			if len(sock.early)+len(text) > maxMessage {
				return faultOversize
			}
			sock.early = append(sock.early, text...)
			continue
		}
		if err := h.profile.parse(text, m); err != nil {
			return faultMalformed
		}
		switch m.event {
		case kind:
			return nil
		case eventUnknown:
		default:
			return faultOrder
		}
	}
}

// open enters a socket that has no stream yet; false if it is too late for it.
func (h *Handler) open(sock *socket) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.opening[sock] = true
	h.openings.Add(1)
	return true
}

func (h *Handler) opened(sock *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.opening, sock)
}

// refuse closes a socket that nobody reads, for err.
func (s *socket) refuse(err error) {
	s.below.cutoff = time.Now().Add(goodbye)
	s.sendClose(closeCode(err), media.CauseOf(err).String())
	// Closed with something unread, the connection would be reset, and the
	// close frame lost.
	for {
		if _, _, err := s.NextReader(); err != nil {
			break
		}
	}
	_ = s.Close()
}
