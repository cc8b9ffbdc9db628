package realtime

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/callgw/callgw/internal/toolschema"
)

// Function is a tool of the model that runs in this program. The session
// declares it, runs it when the model calls it, and sends what it returns, or
// what went wrong, back: no call stays unanswered. When all calls of a response
// are answered it asks for the response that speaks of them.
type Function struct {
	Name        string          // 1 to 64 letters, digits, _ and -
	Description string          // for the model: what it does and when to use it
	Parameters  json.RawMessage // JSON Schema of an object; nil: any object, not declared

	// Handle does the work, in a goroutine of its own, next to other calls. A
	// string goes to the model as it is, anything else as JSON, be it 0, false or
	// nil; more than 32 KiB are cut. An error's text goes to the model as well,
	// which may speak it: leave out what the caller must not hear. A panic is an
	// error without its text.
	//
	// The context ends with the deadline, with an interruption ([ErrInterrupted],
	// see OnInterrupt) and with the session ([ErrClosed]). Handle must return
	// soon after, for Run waits for it; the model is answered without waiting.
	Handle func(ctx context.Context, call FunctionCall) (any, error)

	Timeout     time.Duration   // of Handle; default 15 s
	SlowAfter   time.Duration   // reports [FunctionSlow] if Handle takes longer; 0: never
	OnInterrupt InterruptPolicy // default Keep

	// Quiet functions, such as one that hangs up, need no spoken answer: after
	// a response whose calls were all quiet ones, and went well, no other is
	// asked for.
	Quiet bool
}

// FunctionCall is one call of a [Function] by the model.
type FunctionCall struct {
	Name       string
	CallID     string
	ItemID     string          // the call's item in the conversation
	ResponseID string          // the response that made it
	Arguments  json.RawMessage // an object that fits the function's parameters
}

// InterruptPolicy says what an interruption means for a running function: the
// caller begins to speak and may interrupt, the response that made the call is
// cancelled, or [Session.InterruptFunctions] is called.
type InterruptPolicy uint8

// The policies.
const (
	Keep   InterruptPolicy = iota // it goes on, and its result is used
	Cancel                        // its context ends, and the model is told so
)

const (
	defaultFunctionTimeout = 15 * time.Second

	// maxFunctionOutput is how many bytes of a result the model is given: it
	// reads them again with every response.
	maxFunctionOutput = 32 << 10
)

// tool returns how the function is declared.
func (f Function) tool() Tool {
	return Tool{Name: f.Name, Description: f.Description, Parameters: f.Parameters}
}

// function is a [Function] that can be called.
type function struct {
	Function
	schema *toolschema.Schema
}

// compile checks f. Its errors are [OptionError].
func (f Function) compile() (*function, error) {
	option := fmt.Sprintf("functions[%s]", f.Name)
	switch {
	case !toolName.MatchString(f.Name):
		return nil, &OptionError{option, "the name is not 1 to 64 letters, digits, _ or -"}
	case f.Handle == nil:
		return nil, &OptionError{option, "has no Handle"}
	case f.Timeout < 0 || f.SlowAfter < 0:
		return nil, &OptionError{option, "has a negative duration"}
	}
	schema, err := toolschema.Compile(f.Parameters)
	if err != nil {
		return nil, &OptionError{option, err.Error()}
	}
	if f.Timeout == 0 {
		f.Timeout = defaultFunctionTimeout
	}
	return &function{f, schema}, nil
}

// declare returns tools with f, in place of the one of its name if there is one.
func (f Function) declare(tools []Tool) []Tool {
	declared := slices.Clone(tools)
	i := slices.IndexFunc(declared, func(t Tool) bool { return t.Raw == nil && t.Name == f.Name })
	if i < 0 {
		return append(declared, f.tool())
	}
	declared[i] = f.tool()
	return declared
}
