package realtime

import (
	"errors"
	"time"
)

// The events of functions are the session's own, not the server's. Their names
// are those of the configuration, or "unknown", so that they can label metrics.
type (
	// FunctionStarted says that a call has passed its checks and runs.
	FunctionStarted struct{ Name, CallID, ItemID string }
	// FunctionSlow says that a call has been running for its SlowAfter: time for
	// a sound or a word of patience.
	FunctionSlow struct {
		Name, CallID, ItemID string
		After                time.Duration
	}
	// FunctionFinished says that a call was answered. It comes once for every
	// call, after FunctionStarted if it was started at all, and even after Close,
	// before Run returns, for those that the end of the session cut off: they
	// are interrupted and have no answer.
	FunctionFinished struct {
		Name, CallID, ItemID string
		Took                 time.Duration
		Outcome              FunctionOutcome
		Err                  error // why it is not ok; not for the model or the caller
	}
	// FunctionLate says that a call has come to a result after all, when it had
	// been answered already. The result is dropped.
	FunctionLate struct {
		Name, CallID, ItemID string
		Took                 time.Duration
	}
)

func (FunctionStarted) event()  {}
func (FunctionSlow) event()     {}
func (FunctionFinished) event() {}
func (FunctionLate) event()     {}

// FunctionOutcome is how a call ended.
type FunctionOutcome string

// The outcomes. The model is told each but the first in a sentence.
const (
	FunctionOK          FunctionOutcome = "ok"
	FunctionFailed      FunctionOutcome = "error"   // Handle returned an error or panicked, or its result has no JSON
	FunctionTimeout     FunctionOutcome = "timeout" // the deadline came first
	FunctionInvalid     FunctionOutcome = "invalid" // the arguments are not JSON, or do not fit the parameters
	FunctionUnknown     FunctionOutcome = "unknown" // nothing of that name was declared
	FunctionInterrupted FunctionOutcome = "interrupted"
)

// unknownFunction is the name of all that was not declared.
const unknownFunction = "unknown"

// ErrInterrupted is the cause of a function's context when the caller has
// interrupted it.
var ErrInterrupted = errors.New("realtime: interrupted by the caller")
