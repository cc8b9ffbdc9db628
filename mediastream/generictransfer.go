package mediastream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What a program may say in start.capabilities that it can do besides.
const (
	capabilityTransfer = "transfer"
	capabilityHangUp   = "hangup"
)

// can tells whether the peer has said that it can do something.
func (st *start) can(capability string) bool { return slices.Contains(st.capabilities, capability) }

// CanTransfer tells whether it makes sense to try a transfer: a program has to
// say that it can.
func (s *Stream) CanTransfer() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.profile.capable || s.start.can(capabilityTransfer)
}

// transferByProgram asks the program at the other end of the socket to hand the
// caller over, and waits until it says what has become of it.
func transferByProgram(ctx context.Context, s *Stream, target string) error {
	if !s.CanTransfer() {
		return errors.New("the program that brought the call has not said that it can transfer: capabilities in its start message")
	}
	address, headers, err := s.programTarget(target)
	if err != nil {
		return err
	}
	if err := s.hold(ctx); err != nil {
		return err
	}
	defer s.release()
	d := &dialling{leg: s.nextTransfer(), done: make(chan struct{})}
	text, err := s.askProgram(d.leg, address, headers)
	if err != nil {
		return err
	}
	if !s.dial(d) {
		return errNotInProgress
	}
	s.post(text)
	err = s.outcome(ctx, d)
	if _, transferred := s.undial(d); transferred {
		s.end(errTransferred)
		return nil
	}
	return err
}

// nextTransfer returns an id for a transfer.
func (s *Stream) nextTransfer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transfers++
	return strconv.Itoa(s.transfers)
}

// askProgram returns the message that asks for a transfer.
func (s *Stream) askProgram(id, address string, headers map[string]string) ([]byte, error) {
	type transfer struct {
		ID      string            `json:"id"`
		Target  string            `json:"target"`
		Timeout int               `json:"timeout"` // seconds
		Headers map[string]string `json:"headers,omitempty"`
	}
	text, err := json.Marshal(struct {
		Event    string   `json:"event"`
		Stream   string   `json:"streamSid"`
		Transfer transfer `json:"transfer"`
	}{"transfer", s.start.stream, transfer{id, address, int(s.cfg.TransferTimeout.Seconds()), headers}})
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	return text, nil
}

// programTarget returns a target as a program takes it: a number, an address or
// an extension, and the headers of an address.
func (s *Stream) programTarget(target string) (address string, headers map[string]string, err error) {
	if address, err = s.extension(target); err != nil || !strings.HasPrefix(address, "sip:") {
		return address, nil, err
	}
	_, full, err := s.target(target)
	if err != nil {
		return "", nil, err
	}
	return splitHeaders(full)
}

// decideTransfer takes a program's answer; one to an earlier question, or to
// none, means nothing.
func (s *Stream) decideTransfer(m *message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.dialling
	if d == nil || d.leg != string(m.transfer.id) {
		return
	}
	select {
	case <-d.done:
		return
	default:
	}
	if m.event == eventTransferred {
		s.gone = true
		if s.cause == nil {
			s.cause = errTransferred
		}
	} else {
		d.err = fmt.Errorf("nobody has taken the call there: %.40q", m.transfer.reason)
	}
	close(d.done)
}

// post lets the writer send a message.
func (s *Stream) post(text []byte) {
	s.mu.Lock()
	s.posted = text
	s.mu.Unlock()
	s.nudge()
}

// takePosted returns the message to send, nil if there is none.
func (s *Stream) takePosted() (text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, s.posted = s.posted, nil
	return text
}
