package mediastream

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// ParamDeparture is under which name an Asterisk's dialplan will ask where its
// call goes, such as ${UNIQUEID}. Without it, the dialplan does not ask.
const ParamDeparture = "transfer"

// transferByDialplan ends the media channel; the dialplan goes on after its Dial
// (option g) and asks where to (CURL). No command on the socket could tell, and
// ARI moves only channels that are in a Stasis application, which those in a
// Dial are not.
func transferByDialplan(_ context.Context, s *Stream, target string) error {
	call := s.params.Get(ParamDeparture)
	if call == "" {
		return errors.New("this Asterisk does not ask where its calls go: its dialplan has to pass " + ParamDeparture + "=${UNIQUEID}, and to ask")
	}
	to, err := s.dialplanTarget(target)
	if err != nil {
		return err
	}
	if !s.present() {
		return errNotInProgress
	}
	leaves, ok := s.departures.add(call, to)
	if !ok {
		return errNotInProgress
	}
	if !s.errands.Start(func() { s.depart(call, leaves) }) {
		s.departures.cancel(call, leaves)
		return errNotInProgress
	}
	s.end(errTransferred)
	return nil
}

// depart waits until the dialplan has asked where the call goes.
func (s *Stream) depart(call string, leaves *departure) {
	patience := time.NewTimer(departureWait)
	defer patience.Stop()
	select {
	case <-leaves.asked:
	case <-patience.C:
		s.departures.cancel(call, leaves)
		s.cfg.Metrics.faults[faultDeparture].Inc()
		s.log.Warn().Msg("a transfer was lost: the dialplan has not asked where the call goes; see Asterisk in docs/media-streams.md")
	}
}

// present tells that there is a call.
func (s *Stream) present() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.socket != nil && !s.over && !s.gone
}

// extensionName is what switches have beside numbers and addresses.
var extensionName = regexp.MustCompile(`^[A-Za-z0-9*#_.-]{1,64}$`)

// dialplanText is what a dialplan can paste into a Dial: nothing that it would
// read as the end of an argument, another target or a variable.
var dialplanText = regexp.MustCompile(`^[A-Za-z0-9+*#_.@:;=-]+$`)

// dialplanTarget returns a target as a dialplan takes it.
func (s *Stream) dialplanTarget(target string) (string, error) {
	to, err := s.extension(target)
	if err == nil && !dialplanText.MatchString(to) {
		err = fmt.Errorf("target %.100q has characters that a dialplan would not take for part of it", target)
	}
	return to, err
}

// extension returns a target as switches take it: a number, an address without
// headers, or an extension.
func (s *Stream) extension(target string) (string, error) {
	if extensionName.MatchString(target) {
		return target, nil
	}
	_, address, err := s.target(target)
	if err != nil {
		return "", fmt.Errorf("%w, nor an extension", err)
	}
	address, _, _ = strings.Cut(address, "?")
	return address, nil
}

// asteriskResult gives a DIALSTATUS that a call comes back with our words. The
// plus sign of a target that was not encoded has become a space.
func asteriskResult(params url.Values) {
	if status := params.Get(ParamTransferResult); status != "" {
		params.Set(ParamTransferResult, dialStatus(status))
		if bare, ok := strings.CutPrefix(params.Get(ParamTransferTarget), " "); ok {
			params.Set(ParamTransferTarget, "+"+bare)
		}
	}
}

func dialStatus(status string) string {
	switch status {
	case "BUSY":
		return "busy"
	case "NOANSWER":
		return "no-answer"
	case "CANCEL":
		return "canceled"
	}
	return "failed"
}
