// Package bridge joins one leg, the phone side of a call, with one Realtime
// session, its model side, and knows to the sample what the caller has heard.
//
// A [Call] owns everything that happens to it: the opening of the session, the
// greeting, turns and interruptions, limits, the end on both sides. Three
// goroutines meet in it:
//
//   - the leg's reader, which hands caller frames straight to the session;
//   - the session's reader, which hands the model's audio straight to the
//     playout queue and interrupts it at once when the caller begins to speak;
//   - the call's own, in [Call.Run], through which all other events go.
//
// Audio never passes through the call's own goroutine, and neither reader ever
// waits for it.
//
// The package knows neither SIP nor media streams: a leg is whatever satisfies
// [Leg]. It imports bridge/media, bridge/playout and realtime.
package bridge
