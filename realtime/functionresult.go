package realtime

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
)

// result is what came of a call.
type result struct {
	output  string // for the model
	outcome FunctionOutcome
	err     error
	mute    bool // nobody is there to be told
}

// FunctionPanic is what a handler panicked with.
type FunctionPanic struct {
	Value any
	Stack []byte
}

func newFunctionPanic(value any) *FunctionPanic { return &FunctionPanic{value, debug.Stack()} }

func (e *FunctionPanic) Error() string {
	return fmt.Sprintf("realtime: function panicked: %v", e.Value)
}

// encodeResult makes text of what a handler returned. JSON that it made itself
// and that is not valid is text, too.
func encodeResult(value any) result {
	var text string
	switch v := value.(type) {
	case string:
		text = v
	case json.RawMessage:
		if text = string(v); v == nil {
			text = "null"
		}
	default:
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			return failed(fmt.Errorf("its result cannot be put in words: %w", err))
		}
		text = strings.TrimSuffix(b.String(), "\n")
	}
	if n := len(text); n > maxFunctionOutput {
		text = fmt.Sprintf("%s… (cut off: %d bytes in all)", strings.ToValidUTF8(text[:maxFunctionOutput], ""), n)
	}
	return result{output: text, outcome: FunctionOK}
}

// problem is the output that tells the model what went wrong.
func problem(format string, args ...any) string {
	text := strings.ToValidUTF8(fmt.Sprintf(format, args...), "\uFFFD")
	const longest = 2000
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	encoded, _ := json.Marshal(map[string]string{"error": text}) // strings always can be
	return string(encoded)
}

func failed(err error) result {
	text := err.Error()
	var panicked *FunctionPanic
	if errors.As(err, &panicked) {
		text = "the function has failed; do without it"
	}
	return result{output: problem("%s", text), outcome: FunctionFailed, err: err}
}

func invalid(err error) result {
	return result{output: problem("%v; correct them and call again", err), outcome: FunctionInvalid, err: err}
}

// tooMany refuses a call beyond maxFunctionCalls.
var tooMany = result{
	output:  problem("too many calls are under way; wait for their results"),
	outcome: FunctionFailed,
	err:     errors.New("realtime: too many function calls at once"),
}

// unknown tells what there is instead.
func (s *Session) unknown(name string) result {
	s.mu.Lock()
	known := slices.Sorted(maps.Keys(s.functions))
	s.mu.Unlock()
	text := problem("there is no function %.64q; do without it", name)
	if len(known) > 0 {
		text = problem("there is no function %.64q; there are %s", name, strings.Join(known, ", "))
	}
	return result{output: text, outcome: FunctionUnknown, err: fmt.Errorf("realtime: no function %.64q", name)}
}

// cutOff is the result of a call whose context ended first.
func (f *function) cutOff(cause error) result {
	switch {
	case errors.Is(cause, errFunctionTimeout):
		return result{
			output:  problem("%s has not answered within %v; tell the caller that it is not available now", f.Name, f.Timeout),
			outcome: FunctionTimeout, err: cause,
		}
	case errors.Is(cause, ErrInterrupted):
		return result{
			output:  problem("%s was interrupted by the caller before it was done; call it again if it is still wanted", f.Name),
			outcome: FunctionInterrupted, err: cause,
		}
	default:
		return result{outcome: FunctionInterrupted, err: cause, mute: true}
	}
}
