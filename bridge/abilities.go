package bridge

import "context"

// What only some legs can do, asked for by type assertion.

// Transferrer is a leg that can hand its caller over to somebody else. Transfer
// returns nil when that has happened, and the leg then ends; an error says, in
// words fit for the model, why it has not, and the call goes on.
type Transferrer interface {
	Transfer(ctx context.Context, target string) error
}

// DigitSender is a leg with a way of its own to press keys at the far end. On
// other legs, and when the error wraps [errors.ErrUnsupported], digits are
// sounded in the audio.
type DigitSender interface {
	SendDigits(ctx context.Context, digits string) error
}
