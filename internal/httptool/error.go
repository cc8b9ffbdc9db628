package httptool

import (
	"context"
	"errors"
	"net"
	"net/url"
)

// Error is why a tool gave no output. Its text is for the model; what it wraps
// is for the log. Neither contains the request's headers, its query or the
// secret.
type Error struct {
	// Text is a clause for the model, such as "the tool answered 500".
	Text string
	// Status is that of the last answer; 0 when there was none.
	Status int
	// Attempts is how many requests were sent.
	Attempts int
	// Err has the details.
	Err error

	retry bool // another attempt may help
}

// Error returns Text.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the details.
func (e *Error) Unwrap() error { return e.Err }

// transportError says what went wrong when no answer came, or none to its end:
// text, unless time was up.
func transportError(ctx context.Context, text string, err error) *Error {
	err = bare(err)
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	timeout, ok := errors.AsType[net.Error](err)
	if errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout() {
		return &Error{Text: "the tool did not answer in time", Err: err, retry: true}
	}
	return &Error{Text: text, Err: err, retry: true}
}

// bare removes the URL, which holds arguments, from an error of net/http and
// net/url.
func bare(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// contextError says that the call's own context has ended.
func contextError(ctx context.Context) *Error {
	err := context.Cause(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &Error{Text: "the tool did not answer in time", Err: err}
	}
	return &Error{Text: "the tool call was cancelled", Err: err}
}
