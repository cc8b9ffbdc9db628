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
	// AnsweredBy is who has answered, as far as detection can tell: human, fax,
	// unknown, machine_start, machine_end_beep, …
	AnsweredBy string
	Params     url.Values
}

// status serves the status callbacks. They are the only place where a stream
// that the carrier could not connect shows.
func (h *Handler) status(w http.ResponseWriter, r *http.Request) {
	params, ok := h.form(w, r)
	if !ok {
		return
	}
	h.told(r, params)
	w.WriteHeader(http.StatusNoContent)
}

// told acts on what a callback tells.
func (h *Handler) told(r *http.Request, params url.Values) {
	reference := params.Get(referenceParameter)
	params.Del(referenceParameter)
	event := StatusEvent{
		CallSID:    params.Get("CallSid"),
		Status:     params.Get("CallStatus"),
		Sequence:   -1,
		Stream:     params.Get("StreamEvent"),
		Error:      params.Get("StreamError"),
		AnsweredBy: params.Get("AnsweredBy"),
		Params:     params,
	}
	if n, err := strconv.Atoi(params.Get("SequenceNumber")); err == nil {
		event.Sequence = n
	}
	h.cfg.Log.Debug().Str("call_sid", event.CallSID).Str("status", event.Status).
		Str("stream", event.Stream).Str("error", event.Error).Msg("status callback")
	s := h.stream(event.CallSID)
	if p := h.calls.find(reference); p != nil && s == nil {
		// The carrier may tell of a call before it has told us which it is.
		if s = p.within(h.cfg.StartTimeout); s != nil && s.call != event.CallSID {
			s = nil
		}
	}
	if s != nil && !s.observe(event) {
		h.reject(r, rejectLate)
	} else if h.cfg.Status != nil {
		h.cfg.Status(event)
	}
}

// referenceParameter tells, in the URL of the status callbacks of a call out,
// which one it is.
const referenceParameter = "ref"

// observe acts on a callback: it ends a stream whose call is over, in case its
// socket does not tell; while it rings, nothing else will. It returns false if
// another callback has overtaken this one, which then means nothing.
func (s *Stream) observe(event StatusEvent) bool {
	if s.placed != nil {
		s.placed.mu.Lock()
		defer s.placed.mu.Unlock()
	}
	if !s.inOrder(event) {
		return false
	}
	attached := false
	select {
	case <-s.attached:
		attached = true
	default:
	}
	if event.Stream == "stream-error" && !attached {
		s.end(fmt.Errorf("mediastream: status: %s: %w", event.Error, media.LegFailed))
	}
	if over(event.Status) {
		s.leave()
		switch {
		case s.placed != nil && !attached:
			s.end(newCallError(event))
		case attached:
			s.end(media.CallerHungUp)
		default:
			s.end(media.CallerCancelled)
		}
	}
	if s.placed != nil {
		s.placed.progress(event)
	}
	return true
}

// inOrder books an event, and tells whether it is the latest.
func (s *Stream) inOrder(event StatusEvent) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if event.Sequence >= 0 {
		if event.Sequence <= s.sequence {
			return false
		}
		s.sequence = event.Sequence
	}
	if event.AnsweredBy != "" {
		s.answeredBy = event.AnsweredBy
	}
	return true
}
