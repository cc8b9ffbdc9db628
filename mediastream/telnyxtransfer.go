package mediastream

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

const (
	// diallingGrace is how long the outcome of a call to somebody else may take
	// to be told, after it has rung long enough.
	diallingGrace = 5 * time.Second
	// minTelnyxTimeout is how long Telnyx lets a phone ring at least.
	minTelnyxTimeout = 5 * time.Second
)

// dialling is a call to the target of a transfer, beside the caller's.
type dialling struct {
	leg  string        // its id, once it is known; guarded by the stream's mu
	done chan struct{} // closed when it is decided, and then
	err  error         // says why nobody has taken the call; nil: somebody has
}

// within waits for the outcome, or for another end of the stream.
func (d *dialling) within(s *Stream, patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-d.done:
	case <-s.ended:
	case <-timer.C:
	}
}

// transferByCallControl lets Telnyx dial target beside the call, which goes on
// with its stream until somebody answers there. Events of the new leg, which
// carry the call's id, tell what becomes of it. The target sees the number that
// the caller has dialled: others may not be shown unless they are verified.
//
// At second hand: that the stream goes on while the target rings.
func transferByCallControl(ctx context.Context, s *Stream, target string) error {
	if s.cfg.API == nil {
		return errors.New("the carrier's API is not configured: " + s.profile.credentials)
	}
	body, err := s.telnyxTarget(target)
	if err != nil {
		return err
	}
	if err := s.hold(ctx); err != nil {
		return err
	}
	defer s.release()
	d := &dialling{done: make(chan struct{})}
	if !s.dial(d) {
		return errNotInProgress
	}
	name, text, _ := strings.Cut(command(commandTransfer, body), " ")
	err = s.cfg.API.Command(ctx, s.call, name, text)
	if err == nil {
		err = s.outcome(ctx, d)
	}
	leg, transferred := s.undial(d)
	switch {
	case transferred:
		s.end(errTransferred) // the caller would go on hearing us
		return nil
	case leg != "":
		s.errands.Start(func() { s.giveUp(leg) })
	}
	return err
}

// outcome waits until the call to somebody else is decided.
func (s *Stream) outcome(ctx context.Context, d *dialling) error {
	patience := time.NewTimer(max(s.cfg.TransferTimeout, minTelnyxTimeout) + diallingGrace)
	defer patience.Stop()
	select {
	case <-d.done:
		return d.err
	case <-s.ended:
		return errNotInProgress
	case <-patience.C:
		return errors.New("nobody has answered there")
	case <-ctx.Done():
		return fmt.Errorf("nobody has answered there in time: %w", context.Cause(ctx))
	}
}

// giveUp stops a phone from ringing.
func (s *Stream) giveUp(leg string) {
	ctx, cancel := context.WithTimeout(context.Background(), hangUpPatience)
	defer cancel()
	if err := s.cfg.API.HangUp(ctx, leg); err != nil {
		s.log.Warn().Err(err).Msg("the target of a transfer that was given up may go on ringing")
	}
}

// telnyxTarget returns the body of the command that dials target.
func (s *Stream) telnyxTarget(target string) (map[string]any, error) {
	noun, address, err := s.target(target)
	if err != nil {
		return nil, err
	}
	uri, query, _ := strings.Cut(address, "?")
	body := map[string]any{
		"to":                      uri,
		"timeout_secs":            int(max(s.cfg.TransferTimeout, minTelnyxTimeout).Seconds()),
		"target_leg_client_state": base64.StdEncoding.EncodeToString([]byte(s.call)),
	}
	if noun == nounSIP {
		fields, err := url.ParseQuery(query)
		if err != nil {
			return nil, fmt.Errorf("target %.100q: its headers cannot be read", target)
		}
		var headers []map[string]string
		for name := range fields {
			headers = append(headers, map[string]string{"name": name, "value": fields.Get(name)})
		}
		body["custom_headers"] = headers
	}
	return body, nil
}

// dial books that somebody else is dialled; false if there is no call.
func (s *Stream) dial(d *dialling) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket == nil || s.over || s.gone {
		return false
	}
	s.dialling = d
	return true
}

// undial ends that, and returns the leg if it is undecided.
func (s *Stream) undial(d *dialling) (leg string, transferred bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dialling = nil
	select {
	case <-d.done:
		return "", d.err == nil
	default:
		return d.leg, false
	}
}

// dials returns whom the stream's call is dialling, nil if nobody.
func (s *Stream) dials() *dialling {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dialling
}

// dialled takes an event that tells of a transfer: of the leg to its target, or
// that the two are connected. It returns false if it tells of none.
func (h *Handler) dialled(params url.Values) bool {
	event, leg := params.Get(paramEvent), params.Get("CallSid")
	s := h.stream(leg)
	if s == nil {
		if state, err := base64.StdEncoding.DecodeString(params.Get("client_state")); err == nil {
			s = h.stream(string(state))
		}
	} else if event != eventBridged {
		return false
	}
	if s != nil {
		s.decideDialling(leg, event, params.Get("hangup_cause"))
	}
	return s != nil
}

const eventBridged = "call.bridged"

// decideDialling acts on an event of a leg.
func (s *Stream) decideDialling(leg, event, cause string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.dialling
	if d == nil {
		return
	}
	select {
	case <-d.done:
		return
	default:
	}
	switch event {
	case eventBridged:
		s.gone = true
		if s.cause == nil {
			s.cause = errTransferred
		}
	case "call.hangup":
		d.err = fmt.Errorf("nobody has taken the call there: %.40q", cause)
	default:
		d.leg = leg
		return
	}
	close(d.done)
}
