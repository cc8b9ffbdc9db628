// Package playout holds what the agent has said and the caller has not yet
// heard: a queue of audio with a ledger that knows, to the byte, which item of
// which response every byte belongs to and whether it was received, sent or
// heard.
//
// The queue's audio is one stream of bytes. Sent is how much of it the leg has
// taken, heard how much of it has reached the caller's ear. On a leg that hands
// audio straight to the wire the two are one; a leg that writes ahead reports
// what was heard ([Config.Ahead]).
//
// Invariant, per item and in total: 0 ≤ heard ≤ sent ≤ received.
//
// A [Queue] is shared by the session's reader, which writes, the leg, which
// reads, and the call, which interrupts; one mutex of its own guards it. The
// package starts no goroutines and imports bridge/media alone.
package playout
