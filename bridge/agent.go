package bridge

import (
	"time"

	"github.com/callgw/callgw/realtime"
)

// Agent is what the model is told for one call, resolved: templates rendered,
// providers looked up.
type Agent struct {
	Name       string
	Providers  []realtime.Provider // tried in order; at least one
	Properties realtime.Properties // audio formats default to the leg's codec
	Items      []realtime.Item     // the conversation before the call begins
	Greeting   Greeting
	BargeIn    BargeIn
	Detection  Detection // of calls out
	// StartPaused keeps the caller's audio from the model until Call.PauseAudio
	// lets it through; HideTranscripts keeps what was said out of the timeline,
	// the log and the API.
	StartPaused, HideTranscripts bool

	Limits Limits
	// Repair is how long a call may be without a session after it was lost,
	// before it is given up. 0: the session's own default.
	Repair    time.Duration
	OnFailure Failure
	Functions []realtime.Function  // tools that run in this program
	Builtins  []Builtin            // tools that act on the call
	MCP       []realtime.MCPServer // servers of tools that the provider calls
	Waits     map[string]Wait      // by function: for those that take long
	Prices    map[string]Prices    // by model; models that are not in it cost nothing
}

// Greeting is what the caller hears first. The zero value is silence: the
// caller speaks first.
type Greeting struct {
	Say   string // instructions for a first response of the model's own
	Audio []byte // or: a recording, µ-law
	Text  string // what the recording says, for the model's context
}

func (g Greeting) none() bool { return g.Say == "" && len(g.Audio) == 0 }

// BargeInMode says who may stop the agent's speech.
type BargeInMode uint8

const (
	BargeInServer  BargeInMode = iota // the provider's speech_started
	BargeInInstant                    // our own detector pauses, the provider decides
	BargeInOff                        // nobody: the agent always finishes
)

// BargeIn says how the caller interrupts the agent.
type BargeIn struct {
	Mode            BargeInMode
	ProtectGreeting bool // the greeting cannot be interrupted
	// Threshold of our own detector, 0 to 1; default 0.5.
	Threshold float64
	// Window is how long the provider has to confirm an instant pause before
	// the agent goes on. Default DefaultDoubt.
	Window time.Duration
}

// Limits end a call. Zero is no limit.
type Limits struct {
	Duration time.Duration // since the answer
	Silence  time.Duration // nobody speaks
	Cost     float64       // US dollars, of the model
}

// Failure is what the caller gets when no provider opens a session, or the last
// one is lost.
type Failure struct {
	Audio []byte // a recording, µ-law, played before hanging up
}
