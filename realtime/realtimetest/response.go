package realtimetest

import (
	"slices"
	"time"
)

// request is what a response.create asks for beyond the session's settings.
type request struct {
	instructions string
	outOfBand    bool
	text         *bool
	format       Format
	voice        any
	maxTokens    any
	metadata     map[string]any
	input        []Item // not nil: instead of the conversation
}

// response is one that runs, or has run.
type response struct {
	id        string
	outOfBand bool
	text      bool
	format    Format
	voice     any
	maxTokens any
	metadata  any

	reply  Reply
	output []*Item
	open   *openItem // the item that is being sent
	steps  []step
	task   *task
	status string
	detail any
	usage  any
}

func (r *response) made(it *Item) bool { return slices.Contains(r.output, it) }

// streaming tells whether an item is still being sent.
func (s *Session) streaming(itemID string) bool {
	return slices.ContainsFunc(s.running, func(r *response) bool { return r.open != nil && r.open.item.ID == itemID })
}

// response.create
func (s *Session) requestResponse(m map[string]any) *Error {
	if s.settings.Transcription {
		return errValue("type", "Responses are not supported in transcription sessions.")
	}
	params, _ := m["response"].(map[string]any)
	q, err := s.readRequest(params)
	if err != nil {
		return err
	}
	if !q.outOfBand && s.active != nil {
		return &Error{Code: "conversation_already_has_active_response", Message: "Conversation already has an active response in progress: " + s.active.id + ". Wait until the response is finished before creating a new one."}
	}
	s.respond(Requested, q)
	return nil
}

func (s *Session) readRequest(p map[string]any) (request, *Error) {
	var q request
	q.instructions, _ = p["instructions"].(string)
	q.outOfBand = p["conversation"] == "none"
	q.metadata, _ = p["metadata"].(map[string]any)
	q.voice = p["voice"]
	if audio, ok := p["audio"].(map[string]any); ok {
		if output, ok := audio["output"].(map[string]any); ok {
			q.voice = output["voice"]
			if f, ok := output["format"].(map[string]any); ok {
				q.format = Format(f["type"].(string))
			}
		}
	}
	if f, ok := p["output_audio_format"].(string); ok {
		q.format = formatOfBeta(f)
	}
	for _, name := range []string{"output_modalities", "modalities"} {
		if list, ok := p[name].([]any); ok {
			text := !contains(list, "audio")
			q.text = &text
		}
	}
	for _, name := range []string{"max_output_tokens", "max_response_output_tokens"} {
		if v, ok := p[name]; ok {
			q.maxTokens = v
		}
	}
	if list, ok := p["input"].([]any); ok {
		q.input = []Item{}
		for _, v := range list {
			it, err := s.readInput(v.(map[string]any))
			if err != nil {
				return q, err
			}
			q.input = append(q.input, it)
		}
	}
	return q, nil
}

// readInput is an item of a response's own input, or a reference to one of the
// conversation's.
func (s *Session) readInput(m map[string]any) (Item, *Error) {
	if m["type"] == "item_reference" {
		id := m["id"].(string)
		i := s.find(id)
		if i < 0 {
			return Item{}, errNoItem("response.input", id)
		}
		return s.items[i].snapshot(), nil
	}
	it, err := newItem(m, s.settings.Input)
	if err != nil {
		return Item{}, err
	}
	return *it, nil
}

// respond begins a response.
func (s *Session) respond(cause Cause, q request) {
	s.agenda.drop(s.idle)
	settings := s.settings
	if q.text != nil {
		settings.Text = *q.text
	}
	if q.format != "" {
		settings.Output = q.format
	}
	if q.voice != nil {
		settings.Voice = q.voice
	}
	if q.maxTokens != nil {
		settings.maxTokens = q.maxTokens
	}
	turn := Turn{
		Session: s, Response: s.responses, Cause: cause, Audio: s.lastTurn.audio, Said: s.lastTurn.said, Settings: settings,
		Instructions: q.instructions, Metadata: q.metadata, OutOfBand: q.outOfBand, Items: q.input,
	}
	if turn.Items == nil {
		for _, it := range s.items {
			turn.Items = append(turn.Items, it.snapshot())
		}
	}
	s.responses++
	r := &response{
		id: newID(s.rng, "resp"), outOfBand: q.outOfBand, text: settings.Text, format: settings.Output,
		voice: settings.Voice, maxTokens: settings.maxTokens, metadata: orNil(q.metadata), status: "in_progress",
	}
	s.running = append(s.running, r)
	if !r.outOfBand {
		s.active = r
	}
	s.send(event("response.created", member{"response", s.renderResponse(r)}))
	if s.fault.Fail != nil {
		r.reply = Fail(s.fault.Fail)
	} else {
		r.reply = s.cfg.Voice(turn)
	}
	r.steps = s.plan(r)
	r.task = s.agenda.add(time.Now().Add(r.steps[0].wait), func(now time.Time) (time.Time, bool) { return s.advance(r) })
}

// advance does the response's next step. Steps follow each other by the clock
// of the response, so that a late one does not delay those behind it.
func (s *Session) advance(r *response) (time.Time, bool) {
	due := r.task.due
	next := r.steps[0]
	r.steps = r.steps[1:]
	next.do()
	if len(r.steps) == 0 {
		s.complete(r)
		return time.Time{}, false
	}
	return due.Add(r.steps[0].wait), true
}

// complete ends a response that has sent everything, when it may.
func (s *Session) complete(r *response) {
	finish := func() {
		if r.status != "in_progress" || s.closing != nil {
			return
		}
		var detail any
		status := r.reply.Status
		switch status {
		case "":
			status = "completed"
		case "failed":
			err := r.reply.Error
			if err == nil {
				err = &Error{Type: "server_error", Message: "The server had an error while processing your request."}
			}
			detail = object{{"type", status}, {"error", object{{"type", err.kind()}, {"code", nullable(err.Code)}, {"message", err.Message}}}}
		default:
			detail = object{{"type", status}, {"reason", nullable(r.reply.Reason)}}
		}
		s.finish(r, status, detail)
	}
	until := r.reply.Until
	if until == nil {
		finish()
		return
	}
	s.waiting.Go(func() {
		select {
		case <-until:
			s.post(finish)
		case <-s.gone:
		}
	})
}

// response.cancel
func (s *Session) cancelResponse(m map[string]any) *Error {
	r := s.active
	if id, ok := m["response_id"].(string); ok {
		i := slices.IndexFunc(s.running, func(r *response) bool { return r.id == id })
		if i < 0 {
			r = nil
		} else {
			r = s.running[i]
		}
	}
	if r == nil {
		return &Error{Code: "response_cancel_not_active", Message: "Cancellation failed: no active response found"}
	}
	s.cancel(r, "client_cancelled")
	return nil
}

func (s *Session) cancel(r *response, reason string) {
	s.agenda.drop(r.task)
	s.abandon(r)
	s.finish(r, "cancelled", object{{"type", "cancelled"}, {"reason", reason}})
}

// finish sends response.done, which every response ends with, and what follows.
func (s *Session) finish(r *response, status string, detail any) {
	r.status, r.detail = status, detail
	if status != "failed" {
		r.usage = s.usage(r)
	}
	s.running = slices.DeleteFunc(s.running, func(o *response) bool { return o == r })
	if s.active == r {
		s.active = nil
	}
	s.send(event("response.done", member{"response", s.renderResponse(r)}))
	s.rateLimits()
	if !r.outOfBand {
		s.awaitCaller(time.Now())
	}
}

func (s *Session) renderResponse(r *response) object {
	output := make([]any, len(r.output))
	if r.status != "in_progress" {
		for i, it := range r.output {
			output[i] = it.render(s.Beta, false)
		}
	} else {
		output = output[:0]
	}
	var conversation any
	if !r.outOfBand {
		conversation = s.conversationID
	}
	o := object{
		{"object", "realtime.response"},
		{"id", r.id},
		{"status", r.status},
		{"status_details", r.detail},
		{"output", output},
		{"conversation_id", conversation},
	}
	settings := Settings{Text: r.text}
	if s.Beta {
		o = append(o,
			member{"modalities", settings.betaModalities()}, member{"voice", r.voice}, member{"output_audio_format", r.format.Beta()},
			member{"temperature", s.settings.temperature}, member{"max_output_tokens", r.maxTokens})
	} else {
		o = append(o,
			member{"output_modalities", settings.gaModalities()}, member{"max_output_tokens", r.maxTokens},
			member{"audio", object{{"output", object{{"format", r.format.ga()}, {"voice", r.voice}}}}})
	}
	return append(o, member{"usage", r.usage}, member{"metadata", r.metadata})
}
