// Package realtime is a client of OpenAI's Realtime API and of the servers that
// look like it: spoken conversations over one WebSocket, made for audio that
// must not wait.
//
// # Sessions
//
// A [Session] is one conversation. [NewSession] checks its [Config], Open
// connects and configures, Run carries it until [Session.Close] or its loss:
//
//	s, err := realtime.NewSession(realtime.Config{
//		Provider:   realtime.Provider{BaseURL: "wss://api.openai.com/v1/realtime", Model: "gpt-realtime-2.1", APIKey: key},
//		Properties: realtime.Properties{Instructions: "Be brief.", Voice: "marin"},
//		Handler:    h,
//	})
//	…
//	if err := s.Open(ctx); err != nil { … }
//	go func() { done <- s.Run(ctx) }()
//	s.Append(audio)
//
// A session is open when the server has confirmed its configuration, not when
// the socket is up: OpenAI completes the upgrade even for a bad key. Open
// verifies that the server has set the audio formats it was asked for.
//
// What the server says goes to the [Handler], audio apart from [Event]s, all in
// wire order from one goroutine. Calls on the session only queue; they never
// wait for the socket.
//
// # Audio
//
// Audio is raw: G.711 (8 bytes per millisecond) or 16-bit PCM at 24 kHz (48
// bytes per millisecond), never decoded or resampled here. Up to 100 ms that
// wait leave as one message. A control event leaves behind the audio that was
// appended before it. Audio that cannot be sent, because the session is not
// open yet or its socket is slow, is kept for 5 s; then the oldest is dropped
// and counted in [Stats], and the server's clock, which counts what it was
// sent, is behind by as much.
//
// In the steady state neither [Session.Append] nor the decoding of an audio
// delta allocates or reflects.
//
// # Dialects
//
// [Properties] speak the flat vocabulary of the Beta API whatever the provider
// does; its [Dialect] says what goes on the wire. OpenAI and Azure take [GA]
// alone. Events are read in both dialects at any time, and have GA's names.
// [Properties.Validate] refuses what a dialect cannot say.
//
// Differences between servers are data in [Provider], not code.
//
// # Responses
//
// The server answers by itself at the end of a turn if its turn detection is
// told to; [Session.Respond] asks for an answer. Only one response of the
// default conversation can run, so requests queue in the session.
// [ResponseDone] ends the generation, which is much faster than the sound:
// nobody has heard the answer yet. When the caller interrupts
// ([SpeechStarted]), whoever plays the audio stops it and tells the server by
// [Session.Truncate] how much was heard.
//
// # Errors
//
// An [ErrorEvent] seldom ends a session: [ErrorDetail.Kind] tells the benign,
// the recoverable and the fatal. A response can also fail without one, see
// [Response.Err]. Open and Run return typed errors, and [Retryable] tells
// whether another attempt makes sense. A new session is an empty conversation:
// nothing is restored. The server ends a session at [EffectiveSession].ExpiresAt.
//
// # Limits of this package
//
// It knows no telephony and imports nothing of this module but the JSON scanner
// of its hot path; it logs nothing and keeps no state between sessions. Every
// goroutine belongs to a Run and ends before that returns.
package realtime
