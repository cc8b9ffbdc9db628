package realtimetest

import (
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// step is one event of a response's output, or a few that come together.
type step struct {
	wait time.Duration // since the step before
	do   func()
}

// openItem is the item that a response is sending.
type openItem struct {
	item *Item
	ref  contentRef
}

// plan lays out the events of a whole reply, in the order of the service:
// output_item.added, item.added, content_part.added, deltas, …, output_item.done.
func (s *Session) plan(r *response) []step {
	latency := r.reply.Latency
	if latency == 0 {
		latency = s.cfg.Pace.Latency
	}
	var steps []step
	for i, out := range r.reply.Items {
		last := r.reply.Status == "incomplete" && i == len(r.reply.Items)-1
		switch {
		case out.Call != nil:
			steps = append(steps, s.planCall(r, out.Call)...)
		case r.text || out.Audio == nil:
			steps = append(steps, s.planText(r, out.Text)...)
		default:
			steps = append(steps, s.planAudio(r, out)...)
		}
		status := "completed"
		if last {
			status = "incomplete"
		}
		steps = append(steps, step{0, func() { s.closeItem(r, status) }})
	}
	if len(steps) == 0 {
		steps = []step{{0, func() {}}} // a response without output ends after its latency
	}
	steps[0].wait = max(latency, 0)
	return steps
}

// beginItem adds an item to the response and, unless it is out of band, to the
// conversation.
func (s *Session) beginItem(r *response, it *Item) {
	it.ID, it.Status = newID(s.rng, "item"), "in_progress"
	r.open = &openItem{it, contentRef{r.id, it.ID, len(r.output)}}
	r.output = append(r.output, it)
	content := it.Content
	it.Content = nil // none is there yet
	s.send(event("response.output_item.added", member{"response_id", r.id}, member{"output_index", r.open.ref.output}, member{"item", it.render(s.Beta, false)}))
	if !r.outOfBand {
		s.announce(it, s.insert(len(s.items), it))
	}
	it.Content = content
	if len(content) > 0 {
		s.sendPart("response.content_part.added", r)
	}
}

func (s *Session) sendPart(name string, r *response) {
	c := &r.open.item.Content[0]
	part := object{{"type", "text"}, {"text", c.Text}}
	if c.Type == "output_audio" {
		part = object{{"type", "audio"}, {"transcript", c.Text}}
	}
	s.send(event(name, append(r.open.ref.members(), member{"part", part})...))
}

func (s *Session) planText(r *response, text string) []step {
	steps := []step{{0, func() {
		s.beginItem(r, &Item{Type: "message", Role: "assistant", Content: []Content{{Type: "output_text"}}})
	}}}
	wait := 15 * time.Millisecond
	if s.cfg.Pace.Rate <= 0 {
		wait = 0
	}
	for _, word := range strings.SplitAfter(text, " ") {
		steps = append(steps, step{wait, func() {
			r.open.item.Content[0].Text += word
			s.send(event("response.output_text.delta", append(r.open.ref.members(), member{"delta", word})...))
		}})
	}
	return steps
}

// planAudio interleaves pieces of audio with the words of the transcript, which
// run ahead of it.
func (s *Session) planAudio(r *response, out Output) []step {
	steps := []step{{0, func() {
		s.beginItem(r, &Item{Type: "message", Role: "assistant", Content: []Content{{Type: "output_audio", format: r.format}}})
	}}}
	pieces := s.cut(out.Audio, r.format)
	words := strings.SplitAfter(out.Text, " ")
	perPiece := len(words)
	if len(pieces) > 1 {
		perPiece = 2 * (len(words) + len(pieces) - 1) / len(pieces)
	}
	say := func(words []string) func() {
		return func() {
			for _, word := range words {
				r.open.item.Content[0].Text += word
				s.send(event("response.output_audio_transcript.delta", append(r.open.ref.members(), member{"delta", word})...))
			}
		}
	}
	if len(pieces) == 0 {
		return append(steps, step{0, say(words)})
	}
	var wait time.Duration
	for _, piece := range pieces {
		n := min(perPiece, len(words))
		if n > 0 {
			steps = append(steps, step{wait, say(words[:n])})
			words, wait = words[n:], 0
		}
		steps = append(steps, step{wait, func() { s.sendAudio(r, piece) }})
		wait = 0
		if s.cfg.Pace.Rate > 0 {
			wait = time.Duration(float64(duration(len(piece), r.format)) / s.cfg.Pace.Rate)
		}
	}
	return steps
}

func duration(bytes int, f Format) time.Duration {
	return time.Duration(bytes) * time.Millisecond / time.Duration(f.BytesPerMS())
}

// cut divides audio into the pieces of its deltas, whose sizes are no multiple
// of a frame.
func (s *Session) cut(audio []byte, f Format) [][]byte {
	per := f.BytesPerMS()
	shortest := int(s.cfg.Pace.Shortest.Milliseconds()) * per
	spread := int(s.cfg.Pace.Longest.Milliseconds())*per - shortest
	var pieces [][]byte
	for len(audio) > 0 {
		n := shortest + s.rng.IntN(spread+1)
		n -= n % f.sampleBytes()
		if spread > 0 && n%f.frameBytes() == 0 {
			n += f.sampleBytes()
		}
		n = min(n, len(audio))
		pieces = append(pieces, audio[:n])
		audio = audio[n:]
	}
	return pieces
}

func (s *Session) sendAudio(r *response, audio []byte) {
	now := time.Now()
	part := &r.open.item.Content[0]
	part.bytes += len(audio)
	if !s.cfg.Forget {
		part.Audio = append(part.Audio, audio...)
	}
	if s.playEnd.Before(now) {
		s.playEnd = now
	}
	s.playEnd = s.playEnd.Add(duration(len(audio), r.format))
	s.hasSpoken = true
	s.record.spoke(r.open.ref, audio, s.since())
	if s.fault.WrongAudio {
		audio = Convert(audio, r.format, PCM16)
	}
	name := s.wireName("response.output_audio.delta")
	s.write(name, websocket.TextMessage, appendDelta(nil, name, newID(s.rng, "event"), r.open.ref, audio))
}

func (s *Session) planCall(r *response, call *Call) []step {
	it := &Item{Type: "function_call", CallID: call.ID, Name: call.Name}
	if it.CallID == "" {
		it.CallID = newID(s.rng, "call")
	}
	half := len(call.Arguments) / 2
	steps := []step{{0, func() { s.beginItem(r, it) }}}
	for _, piece := range []string{call.Arguments[:half], call.Arguments[half:]} {
		steps = append(steps, step{0, func() {
			it.Arguments += piece
			s.send(event("response.function_call_arguments.delta", s.callMembers(r, member{"delta", piece})...))
		}})
	}
	return steps
}

func (s *Session) callMembers(r *response, more ...member) []member {
	ref := r.open.ref
	return append([]member{{"response_id", ref.response}, {"item_id", ref.item}, {"output_index", ref.output}, {"call_id", r.open.item.CallID}}, more...)
}

// closeItem ends the open item's part and the item itself.
func (s *Session) closeItem(r *response, status string) {
	it := r.open.item
	if it.Type == "function_call" {
		done := member{"arguments", it.Arguments}
		if s.Beta {
			s.send(event("response.function_call_arguments.done", s.callMembers(r, done)...))
		} else {
			s.send(event("response.function_call_arguments.done", s.callMembers(r, member{"name", it.Name}, done)...))
		}
	} else {
		s.closePart(r)
	}
	it.Status = status
	s.dirty = true
	s.send(event("response.output_item.done", member{"response_id", r.id}, member{"output_index", r.open.ref.output}, member{"item", it.render(s.Beta, false)}))
	if !r.outOfBand {
		s.announceDone(it)
	}
	r.open = nil
}

func (s *Session) closePart(r *response) {
	c, ref := &r.open.item.Content[0], r.open.ref
	if c.Type == "output_audio" {
		s.send(event("response.output_audio.done", ref.members()...))
		s.send(event("response.output_audio_transcript.done", append(ref.members(), member{"transcript", c.Text})...))
	} else {
		s.send(event("response.output_text.done", append(ref.members(), member{"text", c.Text})...))
	}
	s.sendPart("response.content_part.done", r)
}

// abandon closes the open item of a response that is cut off, with the same
// events as one that is complete.
func (s *Session) abandon(r *response) {
	r.steps = nil
	if r.open != nil {
		s.closeItem(r, "incomplete")
	}
}
