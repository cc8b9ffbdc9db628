package realtime

// Handler takes what a session receives. Both methods are called by one
// goroutine at a time, for each connection in wire order, and must not block:
// whatever waits behind them includes the next speech_started. They may call the
// session's methods, Close included, but not wait for Run.
type Handler interface {
	// Audio takes one decoded delta. All of it is lent for the call only.
	Audio(AudioDelta)
	Event(Event)
}

// AudioDelta is one piece of a response's audio in the session's output format.
type AudioDelta struct {
	ResponseID   []byte
	ItemID       []byte
	ContentIndex int
	Audio        []byte
}
