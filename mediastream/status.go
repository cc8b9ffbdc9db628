package mediastream

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/callgw/callgw/bridge/media"
)

// StatusEvent is a status callback: of a call (Status is set) or of its stream
// (Stream is). Callbacks of one call are separate requests and may overtake
// each other: Sequence orders those of a call.
type StatusEvent struct {
	CallSID  string
	Status   string // queued, ringing, in-progress, completed, busy, …
	Sequence int    // from 0; -1 if there is none
	Stream   string // stream-started, stream-stopped, stream-error
	Error    string // of a stream, in the carrier's words
	Params   url.Values
}

// status serves the status callbacks. They are the only place where a stream
// that the carrier could not connect shows.
func (h *Handler) status(w http.ResponseWriter, r *http.Request) {
	params, ok := h.form(w, r)
	if !ok {
		return
	}
	event := StatusEvent{
		CallSID:  params.Get("CallSid"),
		Status:   params.Get("CallStatus"),
		Sequence: -1,
		Stream:   params.Get("StreamEvent"),
		Error:    params.Get("StreamError"),
		Params:   params,
	}
	if n, err := strconv.Atoi(params.Get("SequenceNumber")); err == nil {
		event.Sequence = n
	}
	h.cfg.Log.Debug().Str("call_sid", event.CallSID).Str("status", event.Status).
		Str("stream", event.Stream).Str("error", event.Error).Msg("status callback")
	if s := h.stream(event.CallSID); s != nil {
		s.observe(event)
	}
	if h.cfg.Status != nil {
		h.cfg.Status(event)
	}
	w.WriteHeader(http.StatusNoContent)
}

// observe ends a stream whose call is over, in case its socket does not tell:
// while it rings, nothing else will.
func (s *Stream) observe(event StatusEvent) {
	select {
	case <-s.attached:
	default:
		if event.Stream == "stream-error" {
			s.end(fmt.Errorf("mediastream: status: %s: %w", event.Error, media.LegFailed))
		}
	}
	switch event.Status {
	case "completed", "busy", "failed", "no-answer", "canceled":
	default:
		return
	}
	select {
	case <-s.attached:
		s.end(media.CallerHungUp)
	default:
		s.end(media.CallerCancelled)
	}
}
