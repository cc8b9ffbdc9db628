package realtimetest

// textTokens estimates tokens as the service's customers do: four characters.
func textTokens(s string) int { return (len(s) + 3) / 4 }

// A token of audio is 100 ms of the user's and 50 ms of the assistant's.
const (
	userTokenMS      = 100
	assistantTokenMS = 50
)

// usage counts what a response read, which is the whole conversation each time,
// and what it made. Of what the response before it read, all whole blocks of 64
// tokens count as cached.
func (s *Session) usage(r *response) object {
	textIn, audioIn := textTokens(s.settings.Instructions), 0
	for _, it := range s.items {
		if r.made(it) {
			continue
		}
		t, a := tokens(it)
		textIn, audioIn = textIn+t, audioIn+a
	}
	textOut, audioOut := 0, 0
	for _, it := range r.output {
		t, a := tokens(it)
		textOut, audioOut = textOut+t, audioOut+a
	}
	in := textIn + audioIn
	cached := min(s.tokensIn, in) / 64 * 64
	s.tokensIn = in
	cachedText := min(cached, textIn)
	o := object{
		{"total_tokens", in + textOut + audioOut}, {"input_tokens", in}, {"output_tokens", textOut + audioOut},
	}
	details := object{{"text_tokens", textIn}, {"audio_tokens", audioIn}, {"cached_tokens", cached}}
	cachedDetails := object{{"text_tokens", cachedText}, {"audio_tokens", cached - cachedText}}
	if !s.Beta {
		details = append(details, member{"image_tokens", 0})
		cachedDetails = append(cachedDetails, member{"image_tokens", 0})
	}
	return append(o,
		member{"input_token_details", append(details, member{"cached_tokens_details", cachedDetails})},
		member{"output_token_details", object{{"text_tokens", textOut}, {"audio_tokens", audioOut}}})
}

func tokens(it *Item) (text, audio int) {
	text = textTokens(it.Arguments) + textTokens(it.Output)
	per := userTokenMS
	if it.Role == "assistant" {
		per = assistantTokenMS
	}
	for i := range it.Content {
		c := &it.Content[i]
		audio += c.milliseconds() / per
		if c.Type != "input_audio" {
			text += textTokens(c.Text)
		}
	}
	return text, audio
}

// rateLimits tells what is left of limits that are never reached.
func (s *Session) rateLimits() {
	s.send(event("rate_limits.updated", member{"rate_limits", []object{
		{{"name", "requests"}, {"limit", 1000}, {"remaining", max(0, 1000-s.responses)}, {"reset_seconds", 60}},
		{{"name", "tokens"}, {"limit", 50_000}, {"remaining", max(0, 50_000-s.tokensIn)}, {"reset_seconds", 60}},
	}}))
}
