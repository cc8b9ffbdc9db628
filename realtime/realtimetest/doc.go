// Package realtimetest is a Realtime server for tests, demonstrations and
// machines without a key.
//
// A [Server] speaks the WebSocket form of OpenAI's Realtime API, in the GA and
// the Beta dialect, as strictly as the service: what it sends is valid, and what
// it receives must be, or the service's own error event comes back and nothing
// is changed. It is no model. It hears turns by their energy, answers with a
// [Voice] (by default a greeting, then the caller's own words) and checks what
// the client does to the conversation against what was really sent.
//
//	srv, err := realtimetest.Listen(realtimetest.Config{})
//	…
//	defer srv.Close()
//	// connect a client to srv.URL + "?model=any"
//	s, err := srv.WaitSession(ctx, 0)
//	…
//	_, err = s.WaitEvent(ctx, "input_audio_buffer.speech_started", 1)
//
// # What it does as the service does
//
// The upgrade always succeeds; a bad key, a missing model or the wrong dialect
// is told by an error event and a close code. A session begins under the
// service's defaults, voice activity detection and PCM16 included, until it is
// updated. Replies come in bursts, several times faster than they sound, in
// deltas of irregular size. When the caller speaks, a running response is
// cancelled, if interrupt_response says so; nothing is ever truncated unasked.
// A response's end says nothing about what was played. The clock of
// audio_start_ms and audio_end_ms is the audio appended, not the time.
//
// # Where it differs
//
// Turns are detected by energy (package vad), semantic_vad included, which only
// waits longer. Transcripts are made up. Images, noise reduction, tools, speed
// and token limits are accepted and ignored. MCP servers are never contacted.
// The wording of errors is the service's where it is known.
//
// # What goes wrong on demand
//
// A [Fault] describes what goes wrong in one session, from a refused handshake
// to a close frame that is never answered; the methods of [Session] do the same
// at any moment of a test.
//
// # Boundaries
//
// The package imports, of this module, only bridge/media and internal/vad, so
// that it shares no code with the client that it tests. Each session has two
// goroutines: its handler, which owns the session's state, and a reader. Both
// have ended when [Server.Close] returns. Nothing in it sleeps or polls, and all
// its timers are those of package time, so that it runs in a testing/synctest
// bubble.
package realtimetest
