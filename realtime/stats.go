package realtime

import "sync/atomic"

// Stats of one session.
type Stats struct {
	AudioIn, AudioOut int64 // bytes of audio appended and received
	AudioDropped      int64 // bytes dropped because the socket was slow
	Appends, Deltas   int64 // messages that carried audio, sent and received

	EventsIn, EventsOut int64 // other messages
	Unknown             int64 // of EventsIn: types without a struct
	Malformed           int64 // of EventsIn: not valid, or with members of the wrong type
	Skipped             int64 // frames that were not text
}

type counters struct {
	audioIn, audioOut, audioDropped atomic.Int64
	appends, deltas                 atomic.Int64
	received, sent                  atomic.Int64
	unknown, malformed, skipped     atomic.Int64
}

func (c *counters) stats() Stats {
	return Stats{
		AudioIn:      c.audioIn.Load(),
		AudioOut:     c.audioOut.Load(),
		AudioDropped: c.audioDropped.Load(),
		Appends:      c.appends.Load(),
		Deltas:       c.deltas.Load(),
		EventsIn:     c.received.Load(),
		EventsOut:    c.sent.Load(),
		Unknown:      c.unknown.Load(),
		Malformed:    c.malformed.Load(),
		Skipped:      c.skipped.Load(),
	}
}
