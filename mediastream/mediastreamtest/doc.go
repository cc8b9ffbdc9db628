// Package mediastreamtest is a media-stream carrier for tests, demonstrations
// and load: a scripted phone whose calls reach a gateway as Twilio's do, or as
// another carrier's: Config.Carrier.
//
// [Dial] sends the signed voice webhook, does what the TwiML says and opens the
// signed socket. The [Call] then plays what it receives on a true playout clock
// (a frame every 20 ms on an absolute schedule, as RTP leaves a carrier), echoes
// marks when played, at once if nothing is buffered, and all of them on clear.
// It holds the gateway to the documentation to the letter and records every
// breach; see [Call.Violations]. One-way delay and jitter are simulated in both
// directions, in order, as on a TCP connection.
//
// An [API] is the carrier's REST API over such calls: it ends them, moves them,
// executing the TwiML it is given, and places calls of its own to the gateway's
// order. Its goroutines end with [API.Close]. The APIs of other carriers do as much
// as a gateway asks them for: [TelnyxAPI], [TeXMLAPI], [PlivoAPI], [VonageAPI] and
// [JambonzAPI], whose goroutines Wait waits for, as a [Dialplan]'s does. A [Program]
// is asked on the socket.
//
// Goroutines: [Call.Run] works in the caller's and owns one that reads the
// socket; it returns when both are done.
package mediastreamtest
