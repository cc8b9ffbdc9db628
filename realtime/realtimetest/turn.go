package realtimetest

import "time"

// turnAudio is what the caller said last.
type turnAudio struct {
	audio []byte
	said  string
}

// speechStarted begins a turn at a position, less the padding.
func (s *Session) speechStarted(position int64) {
	in, d := &s.input, s.settings.Turns
	padding := d.PrefixPadding.Milliseconds() * int64(in.format.BytesPerMS())
	in.turnStart = max(in.start, position-padding)
	in.discard(in.turnStart)
	in.speaking = true
	in.itemID = newID(s.rng, "item")
	s.agenda.drop(s.idle)
	s.send(event("input_audio_buffer.speech_started", member{"audio_start_ms", in.ms(in.turnStart)}, member{"item_id", in.itemID}))
	if d.InterruptResponse {
		s.playEnd = time.Now()
		if s.active != nil {
			s.cancel(s.active, "turn_detected")
		}
	}
}

// speechStopped ends the turn where the detector stands: the end includes the
// silence that ended it.
func (s *Session) speechStopped() {
	in := &s.input
	in.speaking = false
	s.send(event("input_audio_buffer.speech_stopped", member{"audio_end_ms", in.ms(in.examined)}, member{"item_id", in.itemID}))
	s.commitUpTo(in.examined, in.itemID)
	// A turn that ends while a response runs, which only happens without
	// interrupt_response, goes unanswered.
	if s.settings.Turns.CreateResponse && s.active == nil && !s.settings.Transcription {
		s.respond(Spoken, request{})
	}
}

// commitUpTo makes the buffered audio a user's item.
func (s *Session) commitUpTo(position int64, id string) {
	in := &s.input
	audio := make([]byte, position-in.start)
	copy(audio, in.buf)
	in.skip(position)

	part := Content{Type: "input_audio", format: in.format, bytes: len(audio)}
	if !s.cfg.Forget {
		part.Audio = audio
	}
	it := &Item{ID: id, Type: "message", Role: "user", Status: "completed", Content: []Content{part}}
	s.lastTurn = turnAudio{audio: audio, said: s.cfg.Transcribe(s.turns, audio)}
	s.turns++
	previous := s.insert(len(s.items), it)
	s.send(event("input_audio_buffer.committed", member{"previous_item_id", s.previous(previous)}, member{"item_id", id}))
	s.announce(it, previous)
	s.announceDone(it)
	if s.settings.transcription != nil {
		s.transcribe(it, s.lastTurn.said)
	}
}

// awaitCaller arms the idle time-out: it counts from the end of the response
// or, if that is later, of the playing of its audio, which the server estimates.
func (s *Session) awaitCaller(now time.Time) {
	s.agenda.drop(s.idle)
	d := s.settings.Turns
	if d == nil || d.IdleTimeout == 0 || s.input.speaking {
		return
	}
	from := now
	if s.playEnd.After(from) {
		from = s.playEnd
	}
	s.idle = s.agenda.at(from.Add(d.IdleTimeout), s.idleTimeout)
}

// idleTimeout commits the caller's silence and answers it.
func (s *Session) idleTimeout() {
	d := s.settings.Turns
	if d == nil || d.IdleTimeout == 0 || s.active != nil || s.input.speaking {
		return
	}
	in := &s.input
	end := in.end()
	silence := d.IdleTimeout.Milliseconds() * int64(in.format.BytesPerMS())
	in.discard(max(in.start, end-silence))
	id := newID(s.rng, "item")
	s.send(event("input_audio_buffer.timeout_triggered",
		member{"audio_start_ms", in.ms(in.start)}, member{"audio_end_ms", in.ms(end)}, member{"item_id", id}))
	s.quieten()
	s.commitUpTo(end, id)
	s.respond(IdleTimeout, request{})
}
