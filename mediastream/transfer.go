package mediastream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// Parameters of a call that has come back from a failed transfer, beside those
// of its webhook.
const (
	// ParamTransferResult is how it failed: busy, no-answer, failed, canceled.
	ParamTransferResult = "transfer_result"
	// ParamTransferTarget is where it went.
	ParamTransferTarget = "transfer_target"
)

var errTransferred = fmt.Errorf("mediastream: %w", media.Transferred)

// Transfer hands the caller over to target, a number in E.164 or a sip: address
// that may carry X- headers ("sip:sales@pbx.example.com?X-Reason=billing"). The
// carrier dials it, so the stream ends; if nobody answers there, the call comes
// back as a new stream whose Params say so ([ParamTransferResult]).
//
// It returns nil when the carrier has taken the call over. On an error the
// stream goes on. Digits cannot be sent that way: the carrier would play them
// instead of the stream, not beside it; they are sounded in the audio.
func (s *Stream) Transfer(ctx context.Context, target string) error {
	if s.cfg.REST == nil {
		return errors.New("mediastream: transfer: no credentials for the carrier's REST API are configured")
	}
	twiml, err := s.dialTwiML(target)
	if err != nil {
		return fmt.Errorf("mediastream: transfer: %w", err)
	}
	select {
	case s.control <- struct{}{}:
		defer func() { <-s.control }()
	case <-ctx.Done():
		return fmt.Errorf("mediastream: transfer: %w", context.Cause(ctx))
	}
	if !s.beginTransfer() {
		return errors.New("mediastream: transfer: the call is not in progress")
	}
	err = s.cfg.REST.Update(ctx, s.call, twiml)
	var refused *RESTError
	if errors.As(err, &refused) && refused.doubtful() {
		s.stopsWithin(ctx, stopWait/2) // if it does, it was done
	}
	if !s.endTransfer(err) {
		return fmt.Errorf("mediastream: transfer: %w", err)
	}
	s.stopsWithin(ctx, stopWait)
	s.end(errTransferred)
	return nil
}

// stopsWithin waits for the stream's end.
func (s *Stream) stopsWithin(ctx context.Context, patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-s.ended:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// beginTransfer tells whether the call can be transferred; a stop means then
// that it was.
func (s *Stream) beginTransfer() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transferring = s.socket != nil && !s.over && !s.gone
	return s.transferring
}

// endTransfer tells whether the call was transferred, whatever the answer: the
// carrier may have done it and the answer got lost.
func (s *Stream) endTransfer(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transferring = false
	var refused *RESTError
	if err != nil && !(s.gone && errors.As(err, &refused) && refused.doubtful()) {
		return false
	}
	s.gone = true
	if s.cause == nil {
		s.cause = errTransferred
	}
	return true
}

// stopCause books the carrier's stop, and returns why the stream ends.
func (s *Stream) stopCause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	if s.transferring {
		return errTransferred
	}
	return media.CallerHungUp
}

// after serves what the carrier asks when the dialling of a transfer has ended.
func (h *Handler) after(w http.ResponseWriter, r *http.Request) {
	params, ok := h.form(w, r)
	if !ok {
		return
	}
	result := params.Get("DialCallStatus")
	switch {
	case over(params.Get("CallStatus")), result == "completed", result == "answered":
		h.answer(w, h.profile.answers.hangup())
		return
	case result == "":
		result = "failed"
	}
	params.Del(targetParameter)
	params.Set(ParamTransferResult, result)
	params.Set(ParamTransferTarget, r.URL.Query().Get(targetParameter))
	h.ring(w, r, params, true)
}

// targetParameter carries the target in the URL that follows a transfer.
const targetParameter = "target"

func afterURL(base, target string) string {
	return base + "?" + url.Values{targetParameter: {target}}.Encode()
}
