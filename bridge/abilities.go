package bridge

import (
	"context"

	"github.com/callgw/callgw/bridge/media"
)

// What only some legs can do, asked for by type assertion.

// Transferrer is a leg that can hand its caller over to somebody else. Transfer
// returns nil when that has happened, and the leg then ends; an error says, in
// words fit for the model, why it has not, and the call goes on.
type Transferrer interface {
	Transfer(ctx context.Context, target string) error
}

// Relayer is a leg that may go on carrying its caller after Transfer, by passing
// the audio on to a second call that it has placed to the target. The agent's part
// in the call is over then, and Run has returned.
type Relayer interface {
	// Relayed returns the carrier's id of the second call, and whether there is one.
	Relayed() (second string, ok bool)
	// Relay returns why the two calls ended, when they have. When ctx ends first,
	// both are hung up with its cause.
	Relay(ctx context.Context) error
}

// TransferLimiter is a Transferrer that can do so for some of its calls only. For
// the others, the model does not get the tool.
type TransferLimiter interface {
	CanTransfer() bool
}

// DigitSender is a leg with a way of its own to press keys at the far end. On
// other legs, and when the error wraps [errors.ErrUnsupported], digits are
// sounded in the audio.
type DigitSender interface {
	SendDigits(ctx context.Context, digits string) error
}

// Measurer is a leg that knows how audio comes through the network. Quality may be
// called at any time, also after Run has returned.
type Measurer interface {
	Quality() media.Quality
}
