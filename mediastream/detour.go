package mediastream

import (
	"context"
	"errors"
	"net/http"
)

// detour is a command that takes a call elsewhere: to somebody else, and back to
// us unless they answer.
type detour struct{ command, body string }

// transferByAPI lets a carrier's API take the call on the detour that write
// returns, which ends its stream. It is asked once: twice, the target would ring
// again.
func transferByAPI(write func(s *Stream, target string) (detour, error)) func(context.Context, *Stream, string) error {
	return func(ctx context.Context, s *Stream, target string) error {
		if s.cfg.API == nil {
			return errors.New("the carrier's API is not configured: " + s.profile.credentials)
		}
		d, err := write(s, target)
		if err != nil {
			return err
		}
		return s.redirect(ctx, func() error {
			return s.cfg.API.send(ctx, apiCommand{account: s.account, call: s.call, name: d.command, body: d.body}, false)
		})
	}
}

// dial serves a carrier that asks whom to dial for a transfer. The URL that it
// asks is ours, and signed.
func (h *Handler) dial(w http.ResponseWriter, r *http.Request) {
	params, ok := h.form(w, r)
	if !ok {
		return
	}
	document, err := h.profile.dialling(newStream(h, params), r.URL.Query().Get(targetParameter))
	if err != nil {
		h.reject(r, rejectRequest)
		http.Error(w, "no target", http.StatusBadRequest)
		return
	}
	h.answer(w, document)
}
