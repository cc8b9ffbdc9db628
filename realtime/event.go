package realtime

import "encoding/json"

// Event is one message from the server, decoded into the struct of its type.
// Names are those of the GA dialect; servers that speak Beta yield the same
// structs. Audio deltas are not events: they go to [Handler.Audio].
type Event interface{ event() }

// SessionCreated opens every session; SessionUpdated answers session.update
// with the whole effective configuration.
type (
	SessionCreated struct{ Session EffectiveSession }
	SessionUpdated struct {
		Session EffectiveSession
		// Differs are the members, such as audio.output.speed, that the server
		// has set otherwise than it was asked to.
		Differs []string
	}
)

// SpeechStarted and SpeechStopped come from the server's voice activity
// detection. Their clocks count the audio appended in this session, over all its
// connections and with what was dropped.
type (
	SpeechStarted struct {
		ItemID       string
		AudioStartMS int64
	}
	SpeechStopped struct {
		ItemID     string
		AudioEndMS int64
	}
	// InputTimeout says that the caller was silent for idle_timeout_ms; a
	// response follows.
	InputTimeout struct {
		ItemID                   string
		AudioStartMS, AudioEndMS int64
	}
	InputCommitted struct{ ItemID, PreviousItemID string }
	InputCleared   struct{}
	// DTMFReceived is sent by servers that see the keypad themselves.
	DTMFReceived struct{ Digit string }
)

// Items of the conversation, whoever brought them into it. Each is added once
// and done once, also if its server says so more often or, of being done, not
// at all; an item that another connection is told of is not a new one.
type (
	ItemAdded struct {
		Item           Item
		PreviousItemID string
		Origin         Origin
	}
	ItemDone struct {
		Item   Item
		Origin Origin
	}
	ItemRetrieved struct{ Item Item }
	ItemDeleted   struct{ ItemID string }
	ItemTruncated struct {
		ItemID       string
		ContentIndex int
		AudioEndMS   int64
	}
)

// Transcription of what the caller said. It may come before or after the
// answer: place it by ItemID.
type (
	TranscriptionDelta struct {
		ItemID       string
		ContentIndex int
		Delta        string
	}
	TranscriptionDone struct {
		ItemID       string
		ContentIndex int
		Transcript   string
		Usage        *TranscriptionUsage
	}
	TranscriptionFailed struct {
		ItemID string
		Error  ErrorDetail
	}
)

// ContentRef names one content part of one item of one response.
type ContentRef struct {
	ResponseID   string
	ItemID       string
	OutputIndex  int
	ContentIndex int
}

// A response, from its creation to its end, of which the handler is told once.
// None of these means that the caller has heard anything.
type (
	ResponseCreated struct{ Response Response }
	OutputItemAdded struct {
		ResponseID  string
		OutputIndex int
		Item        Item
	}
	// OutputItemDone with a completed function_call item is the signal to run
	// the tool, which the session takes itself for a [Function].
	OutputItemDone struct {
		ResponseID  string
		OutputIndex int
		Item        Item
	}
	// AudioDone ends the generation of a part's audio, not its playback.
	AudioDone       struct{ ContentRef }
	TranscriptDelta struct {
		ContentRef
		Delta string
	}
	TranscriptDone struct {
		ContentRef
		Transcript string
	}
	TextDelta struct {
		ContentRef
		Delta string
	}
	TextDone struct {
		ContentRef
		Text string
	}
	// FunctionCallArgumentsDone is also sent when the response was cut off:
	// act on OutputItemDone instead.
	FunctionCallArgumentsDone struct {
		ContentRef
		CallID, Name, Arguments string
	}
	ResponseDone struct{ Response Response }
)

// RateLimitsUpdated tells what is left of the account's limits.
type (
	RateLimitsUpdated struct{ Limits []RateLimit }
	RateLimit         struct {
		Name         string  `json:"name"`
		Limit        int     `json:"limit"`
		Remaining    int     `json:"remaining"`
		ResetSeconds float64 `json:"reset_seconds"`
	}
)

// ErrorEvent is the server's error message. Most leave the session usable.
type ErrorEvent struct{ Error ErrorDetail }

// ErrorDetail is the body of an error.
type ErrorDetail struct {
	Type    string `json:"type,omitempty"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	Param   string `json:"param,omitempty"`
	EventID string `json:"event_id,omitempty"` // of the client event at fault
}

// Unknown is a message of a type that this package does not decode, or one that
// it could not: Err says why. Unknown types are normal: servers grow.
type Unknown struct {
	Type string
	Raw  json.RawMessage
	Err  error
}

func (SessionCreated) event()            {}
func (SessionUpdated) event()            {}
func (SpeechStarted) event()             {}
func (SpeechStopped) event()             {}
func (InputTimeout) event()              {}
func (InputCommitted) event()            {}
func (InputCleared) event()              {}
func (DTMFReceived) event()              {}
func (ItemAdded) event()                 {}
func (ItemDone) event()                  {}
func (ItemRetrieved) event()             {}
func (ItemDeleted) event()               {}
func (ItemTruncated) event()             {}
func (TranscriptionDelta) event()        {}
func (TranscriptionDone) event()         {}
func (TranscriptionFailed) event()       {}
func (ResponseCreated) event()           {}
func (OutputItemAdded) event()           {}
func (OutputItemDone) event()            {}
func (AudioDone) event()                 {}
func (TranscriptDelta) event()           {}
func (TranscriptDone) event()            {}
func (TextDelta) event()                 {}
func (TextDone) event()                  {}
func (FunctionCallArgumentsDone) event() {}
func (ResponseDone) event()              {}
func (RateLimitsUpdated) event()         {}
func (ErrorEvent) event()                {}
func (Unknown) event()                   {}
