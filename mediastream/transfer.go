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
// that may carry X- headers ("sip:sales@pbx.example.com?X-Reason=billing"); to
// Asterisk and programs also an extension. The carrier dials it, so the stream
// ends; if nobody answers there, the call comes back as a new stream whose Params
// say so ([ParamTransferResult]). Call Control's and a program's goes on until
// somebody does.
//
// It returns nil when the carrier has taken the call over. On an error the
// stream goes on. Digits cannot be sent that way: the carrier would play them
// instead of the stream, not beside it; they are sounded in the audio.
func (s *Stream) Transfer(ctx context.Context, target string) error {
	err := s.transferable()
	if err == nil {
		err = s.profile.transfer(ctx, s, target)
	}
	if err != nil {
		return fmt.Errorf("mediastream: transfer: %w", err)
	}
	return nil
}

// transferable says why no call of this carrier can be transferred.
func (s *Stream) transferable() error {
	switch {
	case s.profile.transfer == nil:
		return errors.New("calls cannot be transferred at this carrier")
	case s.profile.credentials != "" && s.cfg.REST == nil && s.cfg.API == nil:
		return fmt.Errorf("no credentials for the carrier's API are configured: %s", s.profile.credentials)
	}
	return nil
}

// transferByTwiML lets the call go on with TwiML that dials target.
func transferByTwiML(ctx context.Context, s *Stream, target string) error {
	if s.cfg.REST == nil {
		return errors.New("the carrier's REST API is not configured")
	}
	twiml, err := s.dialTwiML(target)
	if err != nil {
		return err
	}
	return s.redirect(ctx, func() error { return s.cfg.REST.Update(ctx, s.call, twiml) })
}

// redirect lets update take the call elsewhere, which stops its stream.
func (s *Stream) redirect(ctx context.Context, update func() error) error {
	if err := s.hold(ctx); err != nil {
		return err
	}
	defer s.release()
	if !s.beginTransfer() {
		return errNotInProgress
	}
	err := update()
	if doubtful(err) {
		s.stopsWithin(ctx, stopWait/2) // if it does, it was done
	}
	if !s.endTransfer(err) {
		return err
	}
	s.stopsWithin(ctx, stopWait)
	s.end(errTransferred)
	return nil
}

var errNotInProgress = errors.New("the call is not in progress")

// hold keeps others from changing the call at the carrier, until release.
func (s *Stream) hold(ctx context.Context) error {
	select {
	case s.control <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Stream) release() { <-s.control }

// doubtful tells that what has failed may have been carried out.
func doubtful(err error) bool {
	var refused *RESTError
	return errors.As(err, &refused) && refused.doubtful()
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
	if err != nil && !(s.gone && doubtful(err)) {
		return false
	}
	s.gone = true
	if s.cause == nil {
		s.cause = errTransferred
	}
	return true
}

// stopCause books the carrier's stop, and returns why the stream ends. While
// somebody else is dialled it may be for either of two reasons.
func (s *Stream) stopCause() error {
	if d := s.dials(); d != nil && !s.profile.capable { // a program says so before
		d.within(s, stopWait)
		return media.CallerHungUp // unless there is a cause now
	}
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
	if q := r.URL.Query(); q.Has(callParameter) && !h.cfg.genuine(q) {
		h.reject(r, rejectSignature)
		http.Error(w, "the URL is not ours", http.StatusForbidden)
		return
	}
	result := params.Get("DialCallStatus")
	switch {
	case result == "initiated", result == "ringing", result == "in-progress":
		w.WriteHeader(http.StatusNoContent) // there is nothing to do yet
		return
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

// isBack tells that the stream's call has come back from a transfer, and is not
// on another.
func (s *Stream) isBack() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.returned && !s.over && !s.transferring && s.cause == nil
}

// targetParameter carries the target in the URL that follows a transfer.
const targetParameter = "target"

func afterURL(base, target string) string {
	return base + "?" + url.Values{targetParameter: {target}}.Encode()
}
