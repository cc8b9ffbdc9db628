// Package mediastream is the leg that a carrier speaks in JSON over WebSocket:
// Twilio's Media Streams and the dialects that follow them.
//
// A call arrives as a signed webhook, which is this leg's INVITE; the TwiML
// that answers it is the 200, and the start message on the socket it asks for
// is the ACK. [Handler] serves both requests and hands each call to
// [Config.Handler] as a [Stream], which satisfies the bridge's leg
// structurally. Of [Asterisk] and [Generic] the socket is the INVITE, and must
// come with a secret.
//
// The package never imports the bridge, the SIP leg or the model's side. What
// differs from [Carrier] to carrier is a profile, in a file of the carrier's name
// that says what of it is known only at second hand.
//
// Calls are controlled by the carrier's [REST] API: hung up, transferred
// ([Stream.Transfer]) and placed ([Handler.Call]), as no message on the socket
// can. Where the API is not Twilio's, it is a [CarrierAPI]. Asterisk's dialplan asks
// where a call goes (departures.go), and programs are asked on the socket.
//
// Goroutines: [Handler.Run] owns one for each call's handler, also of calls out,
// and one for each hang-up at the carrier and for each call that a dialplan is to
// ask for, which may outlast their call by 10 s;
// [Stream.Run] reads the socket in the caller's goroutine and owns one writer.
// Both return only when theirs are gone. A socket between its upgrade and its
// start message belongs to the HTTP server's goroutine, bounded by
// Config.StartTimeout, and Handler.Run waits for it.
//
// What the caller has heard is known from marks, which the carrier returns when
// it has played what came before them, and from the round trip, measured by
// marks sent while nothing is buffered. See playhead.go. Asterisk tells exactly
// instead (inquiry.go).
package mediastream
