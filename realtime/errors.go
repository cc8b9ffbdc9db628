package realtime

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// What calls on a session return.
var (
	ErrClosed  = errors.New("realtime: session closed")
	ErrNotOpen = errors.New("realtime: session not open")
	ErrBacklog = errors.New("realtime: too many events wait for the socket")
)

// What a [LostError] may wrap.
var (
	ErrPingTimeout  = errors.New("no sign of life from the peer")
	ErrWriteTimeout = errors.New("socket does not take what is sent")
	// ErrBabble: more than 64 events or 1 MiB came before the session was usable.
	ErrBabble = errors.New("more than 64 events or 1 MiB in place of")
)

// Retryable tells whether doing the same again later, with the same settings,
// may succeed where err failed. Unknown errors are not retryable.
func Retryable(err error) bool {
	var r interface{ Retryable() bool }
	return errors.As(err, &r) && r.Retryable()
}

// ConnectError is a failure of the network: the server was not reached.
type ConnectError struct {
	Host string
	Err  error
}

func (e *ConnectError) Error() string   { return fmt.Sprintf("realtime: connect %s: %v", e.Host, e.Err) }
func (e *ConnectError) Unwrap() error   { return e.Err }
func (e *ConnectError) Retryable() bool { return true }

// HandshakeError is a refusal in HTTP, before there was a socket. Azure refuses
// like this; OpenAI upgrades first, see [RefusedError].
type HandshakeError struct {
	Host       string
	Status     int           // HTTP status
	Code       string        // error code in the body, empty if there is none
	Message    string        // error message in the body, or its beginning
	RetryAfter time.Duration // as the server asked, 0 if it did not
}

func (e *HandshakeError) Error() string {
	s := fmt.Sprintf("realtime: %s refused the handshake: HTTP %d", e.Host, e.Status)
	if e.Code != "" {
		s += " " + e.Code
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// Retryable reports true for the statuses at which OpenAI's own clients dial
// again.
func (e *HandshakeError) Retryable() bool {
	switch e.Status {
	case 408, 429, 500, 502, 503, 504:
		return true
	}
	return false
}

// RefusedError is a refusal on the open socket: an error event, or a close
// frame, in place of session.created or session.updated. OpenAI answers a bad
// key like this.
type RefusedError struct {
	Detail ErrorDetail // Code is taken from the close reason if no error came
	Close  int         // close code, 0 if an error event came first
	Reason string      // of the close frame
}

func (e *RefusedError) Error() string {
	if e.Close == 0 {
		return "realtime: session refused: " + e.Detail.Error()
	}
	return fmt.Sprintf("realtime: session refused: closed with %d %q", e.Close, e.Reason)
}

// Retryable reports false for what a new attempt cannot mend: a bad key, an
// unknown model, a refused configuration.
func (e *RefusedError) Retryable() bool {
	if e.Detail.Code != "" || e.Detail.Type != "" {
		return e.Detail.Retryable()
	}
	return retryableClose(e.Close)
}

// FormatError says that the server set another audio format than it was asked
// for. Its audio would be noise.
type FormatError struct {
	Direction     string // input or output
	Asked, Echoed AudioFormat
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("realtime: server set %s audio format %q where %q was asked for; choose a format that the provider supports",
		e.Direction, e.Echoed, e.Asked)
}

// TimeoutError says what had not come by the end of ConnectTimeout.
type TimeoutError struct{ Waiting string }

func (e *TimeoutError) Error() string   { return "realtime: timed out waiting for " + e.Waiting }
func (e *TimeoutError) Timeout() bool   { return true }
func (e *TimeoutError) Retryable() bool { return true }

// LostError says how a connection ended when it was not we who closed it, not
// even if the server closed it with a polite 1000.
type LostError struct {
	Close  int          // close code, 0 if no close frame came
	Reason string       // of the close frame
	Detail *ErrorDetail // the fatal error event that came before, if any
	Err    error        // what failed; [ErrPingTimeout], [ErrWriteTimeout], [ErrBabble] and others
}

func (e *LostError) Error() string {
	s := "realtime: session lost"
	if e.Detail != nil {
		s += ": " + e.Detail.Error()
	}
	if e.Close != 0 {
		return fmt.Sprintf("%s: closed with %d %q", s, e.Close, e.Reason)
	}
	return fmt.Sprintf("%s: %v", s, e.Err)
}

func (e *LostError) Unwrap() error { return e.Err }

// Retryable tells whether the same provider is worth another attempt.
func (e *LostError) Retryable() bool {
	if e.Detail != nil {
		return e.Detail.Retryable()
	}
	return e.Close == 0 || retryableClose(e.Close)
}

// retryableClose tells the close codes after which OpenAI's clients connect
// again. 1000 is not among them: the server meant it.
func retryableClose(code int) bool {
	switch code {
	case websocket.CloseGoingAway, websocket.CloseNoStatusReceived, websocket.CloseAbnormalClosure,
		websocket.CloseInternalServerErr, websocket.CloseServiceRestart, websocket.CloseTryAgainLater:
		return true
	}
	return false
}

// refusal turns a close frame into the refusal of a session. OpenAI's reasons
// have the form <type>.<code>.
func refusal(c *websocket.CloseError) *RefusedError {
	e := &RefusedError{Close: c.Code, Reason: c.Text}
	if kind, code, ok := strings.Cut(c.Text, "."); ok && !strings.ContainsAny(c.Text, " ") {
		e.Detail = ErrorDetail{Type: kind, Code: code}
	}
	return e
}
