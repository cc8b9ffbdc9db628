package realtimetest

import "time"

// Turn is what a response is to answer.
type Turn struct {
	Session  *Session
	Response int    // how many responses this session made before, from 0
	Cause    Cause  // why there is a response
	Audio    []byte // what the caller said last, in the input's format; nil if nothing yet
	Said     string // the same as text, if any
	Settings Settings
	// Instructions are the response's own, empty when the session's apply.
	Instructions string
	Metadata     map[string]any
	OutOfBand    bool   // conversation: none
	Items        []Item // the conversation so far, or the response's own input
}

// Cause says why there is a response.
type Cause string

// The causes.
const (
	Spoken      Cause = "spoken"       // the caller's turn ended
	Requested   Cause = "requested"    // response.create
	IdleTimeout Cause = "idle_timeout" // the caller was silent for too long
)

// Reply is what the model makes of a turn: the output items of one response, in
// order. The zero Reply is a response without output.
type Reply struct {
	Items []Output
	// Status ends the response: empty is completed; failed or incomplete, with
	// Error or Reason saying why, end it after the items.
	Status string
	Reason string // of incomplete: max_output_tokens or content_filter
	Error  *Error // of failed
	// Latency is the time until the first item. 0 is that of [Pace], negative
	// is none.
	Latency time.Duration
	// Until holds the end of the response back: it stays active until the
	// channel is closed. nil does not.
	Until <-chan struct{}
}

// Output is one item of a response: speech, text or a function call.
type Output struct {
	Audio []byte // in the session's output format
	Text  string // what Audio says, or the answer itself in a text session
	Call  *Call
}

// Call is a function call. An empty ID is made up.
type Call struct{ ID, Name, Arguments string }

// Speak is a reply of one spoken item.
func Speak(audio []byte, transcript string) Reply {
	return Reply{Items: []Output{{Audio: audio, Text: transcript}}}
}

// CallFunction is a reply of one function call.
func CallFunction(name, arguments string) Reply {
	return Reply{Items: []Output{{Call: &Call{Name: name, Arguments: arguments}}}}
}

// Fail is a reply that is a failed response without output.
func Fail(err *Error) Reply { return Reply{Status: "failed", Error: err} }

// Voice makes the replies of sessions. It is called by the session's goroutine
// and must not wait.
type Voice func(Turn) Reply
