package realtime

import (
	"time"
	"unicode"
)

// speechRate is how many characters a second of speech has, roughly, in any
// language that is written in letters.
const speechRate = 15

// heard returns how much of the item's audio reached the caller, and how much
// there is. The caller holds mu.
func (s *Session) heard(e *entry) (heard, received time.Duration) {
	received = s.cfg.Properties.OutputAudioFormat.Duration(e.received)
	heard = received
	switch {
	case e.origin != OriginModel || received == 0:
	case e.isCut:
		heard = min(e.heardTo, received)
	case s.cfg.Heard != nil:
		if h, r, ok := s.cfg.Heard(e.item.ID); ok {
			heard, received = min(h, r), r
		}
	}
	return heard, received
}

// heardText returns the words of the item that the caller heard. The text of an
// item that was broken off runs ahead of its audio by an unknown length, which
// the usual rate of speech bounds.
func (s *Session) heardText(e *entry) string {
	text := e.text()
	heard, received := s.heard(e)
	if e.origin != OriginModel || received <= 0 {
		return text
	}
	if !e.complete || e.item.Status != "completed" {
		text = cutWords(text, received.Seconds()*speechRate/float64(len([]rune(text))))
	}
	return cutWords(text, float64(heard)/float64(received))
}

// cutWords returns the first part of text, as a share of it, back to the end of
// a word.
func cutWords(text string, share float64) string {
	runes := []rune(text)
	n := int(share*float64(len(runes)) + 1e-6)
	if share >= 1 || n >= len(runes) {
		return text
	}
	if n <= 0 {
		return ""
	}
	for n > 0 && !unicode.IsSpace(runes[n]) {
		n--
	}
	for n > 0 && unicode.IsSpace(runes[n-1]) {
		n--
	}
	return string(runes[:n])
}
