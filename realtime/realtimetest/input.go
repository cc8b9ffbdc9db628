package realtimetest

import (
	"encoding/base64"
	"fmt"

	"github.com/callgw/callgw/internal/vad"
)

const (
	maxAppend = 15 << 20 // bytes of audio in one append
	maxBuffer = 16 << 20 // bytes that are kept: the oldest are forgotten
	minCommit = 100      // ms
	maxQuiet  = 30_000   // ms of silence kept while nobody speaks
)

// input is the audio that was appended and not committed yet. Positions count
// the bytes appended in the present format.
type input struct {
	format   Format
	buf      []byte
	start    int64 // position of buf[0]
	before   int64 // ms appended in earlier formats
	detector *vad.Detector
	origin   int64 // position of the detector's first frame
	examined int64 // position up to which it has seen the audio

	speaking  bool
	itemID    string // of the turn that is being spoken
	turnStart int64
}

func (in *input) end() int64 { return in.start + int64(len(in.buf)) }
func (in *input) ms(position int64) int {
	return int(in.before + position/int64(in.format.BytesPerMS()))
}

// discard drops the buffer up to a position.
func (in *input) discard(position int64) {
	if n := position - in.start; n > 0 {
		in.buf = in.buf[min(n, int64(len(in.buf))):]
		in.start = position
	}
}

// skip drops everything up to a position, seen by the detector or not.
func (in *input) skip(position int64) {
	in.discard(position)
	in.examined = max(in.examined, position)
	if in.detector != nil {
		in.origin = in.examined - in.detector.Frames()*int64(in.format.frameBytes())
	}
}

func (f Format) sampleBytes() int {
	if f == PCM16 {
		return 2
	}
	return 1
}

// apply makes settings effective.
func (s *Session) apply(next Settings) {
	old := s.settings
	s.settings = next
	s.dirty = true
	in := &s.input
	if in.format != next.Input {
		if in.format != "" {
			in.before = int64(in.ms(in.end()))
		}
		*in = input{format: next.Input, before: in.before}
		old.Turns = nil
	}
	if !old.Turns.hearsLike(next.Turns) {
		s.detect(next.Turns)
	}
}

// detect begins, changes or ends the detection of turns.
func (s *Session) detect(d *TurnDetection) {
	in := &s.input
	in.speaking, in.detector = false, nil
	if d == nil {
		s.agenda.drop(s.idle)
		return
	}
	in.detector = vad.New(vad.Config{Threshold: max(d.Threshold, 0.01), Hangover: max(d.hangover(), vad.FrameDuration)})
	in.origin, in.examined = in.end(), in.end()
}

// appendSlow is input_audio_buffer.append in any form.
func (s *Session) appendSlow(m map[string]any) *Error {
	audio, err := decodeAudio(m["audio"].(string), s.settings.Input, "audio.audio")
	if err != nil {
		return err
	}
	s.append(audio)
	return nil
}

func decodeAudio(encoded string, format Format, path string) ([]byte, *Error) {
	audio, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(audio)%format.sampleBytes() != 0 {
		return nil, errValue(path, fmt.Sprintf("Invalid 'audio'. Expected base64-encoded audio bytes (mono %s) but got an invalid value.", format))
	}
	if len(audio) > maxAppend {
		return nil, errValue(path, fmt.Sprintf("Invalid 'audio'. Expected at most %d bytes of audio, but got %d instead.", maxAppend, len(audio)))
	}
	return audio, nil
}

// append takes audio and looks at each whole frame of it.
func (s *Session) append(audio []byte) {
	if !s.configured && !s.early {
		s.early = true
		s.violate("input_audio_buffer.append", "appends audio before session.updated: it is heard under the server's defaults")
	}
	s.record.heard(audio)
	in := &s.input
	in.buf = append(in.buf, audio...)
	if excess := len(in.buf) - maxBuffer; excess > 0 {
		in.skip(in.start + int64(excess))
	}
	if in.detector == nil {
		return
	}
	for n := int64(in.format.frameBytes()); in.detector != nil && in.end()-in.examined >= n; {
		at := in.examined - in.start
		level := in.format.level(in.buf[at : at+n])
		in.examined += n
		switch change, frame := in.detector.Frame(level); change {
		case vad.Started:
			s.speechStarted(in.origin + frame*n)
		case vad.Stopped:
			s.speechStopped()
		}
	}
	if quiet := int64(maxQuiet * in.format.BytesPerMS()); !in.speaking && int64(len(in.buf)) > 2*quiet {
		in.discard(in.end() - quiet)
	}
}

// commit is input_audio_buffer.commit.
func (s *Session) commit() *Error {
	in := &s.input
	ms := float64(len(in.buf)) / float64(in.format.BytesPerMS())
	if ms < minCommit {
		return &Error{Code: "input_audio_buffer_commit_empty", Message: fmt.Sprintf("Error committing input audio buffer: buffer too small. Expected at least %dms of audio, but buffer only has %.2fms of audio.", minCommit, ms)}
	}
	id := in.itemID
	if !in.speaking {
		id = newID(s.rng, "item")
	}
	s.quieten()
	s.commitUpTo(in.end(), id)
	return nil
}

// clear is input_audio_buffer.clear.
func (s *Session) clear() *Error {
	s.quieten()
	s.input.skip(s.input.end())
	s.send(event("input_audio_buffer.cleared"))
	return nil
}

// quieten ends a turn without an event.
func (s *Session) quieten() {
	s.input.speaking = false
	if s.input.detector != nil {
		s.input.detector.Reset()
	}
}
