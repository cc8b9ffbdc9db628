// Package realtime is a client of OpenAI's Realtime API and of the servers that
// look like it: spoken conversations over one WebSocket, made for audio that
// must not wait.
//
// # Sessions
//
// A [Session] is one conversation, over a succession of connections. [NewSession]
// checks its [Config], Open connects and configures, Run carries it until
// [Session.Close], or until it is lost and nobody takes it over:
//
//	s, err := realtime.NewSession(realtime.Config{
//		Providers:  []realtime.Provider{{BaseURL: "wss://api.openai.com/v1/realtime", Model: "gpt-realtime-2.1", APIKey: key}},
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
// and counted in [Stats].
//
// A server's clock counts what it was sent. The events of speech are told on the
// session's own: all that was ever appended, what was dropped included.
//
// In the steady state neither [Session.Append] nor the decoding of an audio
// delta allocates or reflects.
//
// # Dialects
//
// [Properties] speak the flat vocabulary of the Beta API whatever the provider
// does; its [Dialect] says what goes on the wire. OpenAI and Azure take [GA]
// alone. Events are read in every dialect at any time, and have GA's names.
// [Properties.Validate] refuses what a dialect cannot say.
//
// Differences between servers are data in [Provider], not code. Its [Profile]
// gives the defaults for a kind of server: openai, azure (the key in the header
// api-key), xai (voice and turn detection at the top, no truncation, no
// retrieval) and beta (the flat shape).
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
// # Functions
//
// A [Function] is a tool that runs here; [Session.RegisterFunction] adds one at
// any time. The session runs the calls of the model, in parallel, once their item
// is complete, and answers each by its id: with the result, or with a sentence
// about what went wrong, be it arguments that do not fit the schema, a name that
// nobody declared, a panic or the deadline. When all calls of a response are
// answered, one response is asked for that speaks of them, unless the caller has
// the word: the response to his turn knows the answers that came before it. Calls
// outlive a connection; their results wait for the next one. [FunctionStarted],
// [FunctionSlow], [FunctionFinished] and [FunctionLate] tell the handler.
//
// Tools of Properties.Tools without a Function are the program's to run: it
// answers with [FunctionOutput] by [Session.CreateItem], and asks for a response.
// So are calls of responses beside the conversation.
//
// An [MCPServer]'s tools are called by the provider. What asks for approval is
// decided by the server's policy, and told as [MCPApproval].
//
// # Errors
//
// An [ErrorEvent] seldom ends a session: [ErrorDetail.Kind] tells the benign,
// the recoverable and the fatal. A response can also fail without one, see
// [Response.Err]. Open and Run return typed errors, and [Retryable] tells
// whether another attempt makes sense.
//
// # Repair
//
// A connection that ends without us, be it broken, closed politely or condemned
// by a fatal error, is replaced within Config.RepairTimeout: by the same provider
// unless it would only refuse again, else by the next ones. A server restores
// nothing. The session tells the new one what it knows ([Session.History]): every
// item under its old id, the caller's words as text, the model's as far as they
// are heard, calls of functions and their results. It sends again what the caller
// has said since the last turn, asks again for a response that was due, and says
// nothing twice: a response that had begun to speak goes on with a plain request.
// Requests made meanwhile wait in their order. [SessionLost] and
// [SessionRestored] tell the handler; a response whose end was lost ends as
// incomplete for the reason [SessionLostReason]; responses beside the
// conversation are not asked for again.
//
// A server ends a session at [EffectiveSession].ExpiresAt. From
// Config.RecycleBefore that on, at the first quiet moment and at the latest a few
// seconds before the end, another connection is made, told the conversation, and
// put in the place of the old one, which is then closed ([SessionRecycled]). What
// the caller says goes to the new one from the last turn on; no sample of it is
// part of two turns.
//
// # Limits of this package
//
// It knows no telephony and imports nothing of this module but the JSON scanner
// of its hot path and the check of functions' arguments; it logs nothing and keeps no state between sessions. Every
// goroutine belongs to a Run and ends before that returns.
package realtime
