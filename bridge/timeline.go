package bridge

import (
	"sync"
	"time"
)

// Attr is one detail of a timeline event.
type Attr struct {
	Key   string
	Value any
}

// Event is one thing that happened to a call.
type Event struct {
	Offset time.Duration // since the call arrived, monotonic
	Name   string
	Attrs  []Attr
}

// The names of the events of a timeline.
const (
	EventArrived      = "arrived"
	EventRinging      = "ringing"
	EventEarlyMedia   = "early_media"
	EventSessionOpen  = "session_open"
	EventSessionFail  = "session_refused"
	EventSessionLost  = "session_lost"
	EventRestored     = "session_restored"
	EventRecycled     = "session_recycled"
	EventHistoryCut   = "conversation_cut"
	EventDiffers      = "differs"
	EventGreeting     = "greeting"
	EventAnswered     = "answered"
	EventAnsweredBy   = "answered_by"
	EventMachineOver  = "machine_over"
	EventMessage      = "message"
	EventAgentStarts  = "agent_starts"
	EventAgentStops   = "agent_stops"
	EventCallerStarts = "caller_starts"
	EventCallerStops  = "caller_stops"
	EventReply        = "reply"
	EventNoReply      = "no_reply"
	EventPause        = "pause"
	EventGoOn         = "go_on"
	EventBargeIn      = "barge_in"
	EventTruncated    = "truncated"
	EventTranscript   = "transcript"
	EventDigit        = "digit"
	EventHold         = "hold"
	EventResume       = "resume"
	EventRecoded      = "recoded"
	EventUnderrun     = "underrun"
	EventFunction     = "function"
	EventFunctionDone = "function_done"
	EventTransfer     = "transfer"

	EventTransferFailed = "transfer_failed"
	EventOperator       = "operator"
	EventOperatorFailed = "operator_failed"
	EventOmitted        = "omitted" // stands for events that are not kept
	EventRelayed        = "relayed"
	EventRelayEnded     = "relay_ended"
	EventError          = "error"
	EventMedia          = "media"
	EventEnding         = "ending"
	EventEnded          = "ended"
)

// timeline keeps a call's events in the order of their happening: its beginning
// and the newest of them, and texts up to a length.
type timeline struct {
	start   time.Time
	observe func(Event)

	mu   sync.Mutex
	kept bounded
}

// add records an event; attrs are keys and values in turn.
func (t *timeline) add(name string, attrs ...any) Event {
	e := Event{Name: name}
	for i := 0; i+1 < len(attrs); i += 2 {
		e.Attrs = append(e.Attrs, Attr{attrs[i].(string), shortened(attrs[i+1])})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e.Offset = time.Since(t.start)
	t.kept.add(e)
	// Under the lock, so that observers see events in order.
	if t.observe != nil {
		t.observe(e)
	}
	return e
}

func (t *timeline) snapshot() []Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept.all()
}
