package bridge

import (
	"context"
	"errors"
	"fmt"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/mask"
	"github.com/callgw/callgw/realtime"
)

// What a program or an operator may ask of a call that is under way.
var (
	// ErrNoSession says that no session is open, yet or any more.
	ErrNoSession = errors.New("bridge: the call has no open session")
	// ErrNotAnswered says that nobody has answered yet.
	ErrNotAnswered = errors.New("bridge: the call is not answered yet")
	// ErrUnable says that the call's leg cannot do what was asked for.
	ErrUnable = errors.New("bridge: the call's leg cannot do that")
	// ErrHushed says that the agent speaks to a machine, when it may, and to
	// nobody else any more.
	ErrHushed = errors.New("bridge: a machine has answered: the agent only leaves its message")
)

// openToSpeak is open for what has the agent speak.
func (c *Call) openToSpeak() (*realtime.Session, error) {
	s, err := c.open()
	if err == nil && c.callee.message.hushed.Load() {
		return nil, ErrHushed
	}
	return s, err
}

func (c *Call) open() (*realtime.Session, error) {
	s := c.session.Load()
	if s == nil || c.isEnding() {
		return nil, ErrNoSession
	}
	return s, nil
}

// Say has the agent say something: instructions for one response.
func (c *Call) Say(instructions string) error {
	s, err := c.openToSpeak()
	if err != nil {
		return err
	}
	return s.Respond(realtime.ResponseRequest{Instructions: instructions})
}

// tell lets the model know what happens to the call. It need not answer.
func (c *Call) tell(text string) {
	s := c.session.Load()
	if s == nil {
		return
	}
	if err := s.CreateItem(realtime.Message("system", text)); err != nil {
		c.log.Debug().Err(err).Str("text", text).Msg("model not told")
	}
}

// Append adds an item to the conversation, and asks for a response to it if
// respond is set.
func (c *Call) Append(item realtime.Item, respond bool) error {
	open := c.open
	if respond {
		open = c.openToSpeak
	}
	s, err := open()
	if err != nil {
		return err
	}
	if err := s.CreateItem(item); err != nil || !respond {
		return err
	}
	return s.Respond(realtime.ResponseRequest{})
}

// History returns the conversation as far as it is known: what was generated
// and what of it the caller heard.
func (c *Call) History() []realtime.Entry {
	s := c.session.Load()
	if s == nil {
		return nil
	}
	return s.History()
}

// Update changes the session's properties: those that p has, all others stay.
func (c *Call) Update(p realtime.Properties) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	return s.Update(p)
}

// PauseAudio stops, or lets again, the caller's audio reach the model. What is
// said meanwhile is lost to the model; it may go on speaking.
func (c *Call) PauseAudio(on bool) { c.uplink.paused.Store(on) }

// SendDigits presses keys at the far end: 0 to 9, *, #, A to D, and a comma for
// a pause of half a second.
func (c *Call) SendDigits(ctx context.Context, digits string) error {
	if err := CheckDigits(digits); err != nil {
		return err
	}
	if c.isEnding() {
		return ErrNoSession
	}
	if leg, ok := c.cfg.Leg.(DigitSender); ok {
		err := leg.SendDigits(ctx, digits)
		if !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	c.play("dtmf", dtmfTones(digits))
	return nil
}

// maxDigits bounds what is keyed in at once.
const maxDigits = 64

// CheckDigits returns why [Call.SendDigits] refuses digits, nil if it does not.
func CheckDigits(digits string) error {
	if digits == "" || len(digits) > maxDigits {
		return fmt.Errorf("bridge: %d digits: 1 to %d can be sent at once", len(digits), maxDigits)
	}
	for i := range len(digits) {
		if _, ok := media.ParseDigit(digits[i]); !ok && digits[i] != ',' {
			return fmt.Errorf("bridge: %q is no digit: 0 to 9, *, #, A to D and a comma, which is a pause, are", digits[i])
		}
	}
	return nil
}

// Transfer hands the caller over to target, once what the agent is saying was
// heard, and ends the call. An error says why the call goes on.
func (c *Call) Transfer(ctx context.Context, target string) error {
	leg, ok := c.cfg.Leg.(Transferrer)
	if !ok {
		return ErrUnable
	}
	if c.cfg.Outgoing && c.State() < Answered {
		return ErrNotAnswered
	}
	if err := c.awaitQuiet(ctx); err != nil {
		return err
	}
	c.note(EventTransfer, "target", mask.Number(target))
	c.transferring.Store(true)
	defer c.transferring.Store(false)
	if err := leg.Transfer(ctx, target); err != nil {
		c.note(EventTransferFailed, "error", err.Error())
		c.log.Info().Err(err).Msg("transfer failed: the caller stays")
		return err
	}
	c.End(fmt.Errorf("bridge: %w to %s", media.Transferred, target))
	return nil
}

// awaitQuiet returns when the caller has heard all there is.
func (c *Call) awaitQuiet(ctx context.Context) error {
	quiet := make(chan struct{})
	c.post(func() { c.whenQuiet(func() { close(quiet) }) })
	select {
	case <-quiet:
		return nil
	case <-c.ending:
		return ErrNoSession
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
