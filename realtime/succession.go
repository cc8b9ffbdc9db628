package realtime

import "time"

// The events of a session's connections are its own, not a server's. They come
// in their place among the others: what a server said before SessionLost was
// said by the old one.
type (
	// ProviderRefused says that a provider did not give a session. The next one
	// is tried.
	ProviderRefused struct {
		Provider string
		Err      error
	}
	// SessionOpened comes once, when Open has succeeded.
	SessionOpened struct {
		Provider string
		Took     time.Duration
	}
	// SessionLost says that the connection ended and another one is being made.
	// SessionRestored follows, or Run returns Err.
	SessionLost struct {
		Provider string
		Err      error // a [LostError]
	}
	// SessionRestored says that another connection has the conversation, of which
	// it was told Replayed items, and gets the caller's audio since the last turn.
	SessionRestored struct {
		Provider string
		Took     time.Duration // since the loss
		Replayed int
	}
	// SessionRecycled says that another connection has taken the place of one
	// that was about to expire.
	SessionRecycled struct {
		Provider string
		Took     time.Duration // to make it
		Replayed int
	}
	// ConversationCut says, once, that the conversation has become too long: the
	// oldest of it, but what it began with, is not kept, neither for
	// [Session.History] nor for another connection.
	ConversationCut struct{}
)

// SessionLostReason is the reason of a response, incomplete, whose end nobody
// told because its connection was lost.
const SessionLostReason = "session_lost"

func (ProviderRefused) event() {}
func (SessionOpened) event()   {}
func (SessionLost) event()     {}
func (SessionRestored) event() {}
func (SessionRecycled) event() {}
func (ConversationCut) event() {}
