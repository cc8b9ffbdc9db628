package realtimetest

import (
	"strings"
	"time"
)

// sentences are what callers say when nothing else was configured.
var sentences = [...]string{
	"Hello, can you hear me?",
	"I would like to ask about my order.",
	"Yes, that is right.",
	"Could you say that again, please?",
	"Thank you, that is all.",
}

func transcribe(turn int, _ []byte) string { return sentences[turn%len(sentences)] }

// transcriptionTime is how long the recogniser takes: longer than the answer,
// as it may.
const transcriptionTime = 250 * time.Millisecond

// transcribe sends the transcription of a user's item a little later.
func (s *Session) transcribe(it *Item, said string) {
	s.agenda.at(time.Now().Add(transcriptionTime), func() {
		const prefix = "conversation.item.input_audio_transcription."
		at := []member{{"item_id", it.ID}, {"content_index", 0}}
		for _, word := range strings.SplitAfter(said, " ") {
			s.send(event(prefix+"delta", append(at[:2:2], member{"delta", word})...))
		}
		it.Content[0].Text = said
		s.dirty = true
		done := event(prefix+"completed", append(at[:2:2], member{"transcript", said})...)
		if !s.Beta {
			heard, text := it.Content[0].milliseconds()/100, textTokens(said)
			done = append(done, member{"usage", object{
				{"type", "tokens"},
				{"total_tokens", heard + text},
				{"input_tokens", heard},
				{"input_token_details", object{{"text_tokens", 0}, {"audio_tokens", heard}}},
				{"output_tokens", text},
			}})
		}
		s.send(done)
	})
}
