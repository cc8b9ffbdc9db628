package realtimetest

// betaEvents are the twelve client events of the Beta dialect.
func betaEvents() map[string]rule {
	events := commonEvents()
	events["session.update"] = clientEvent(map[string]rule{"session!": members(map[string]rule{
		"model": text, "modalities": betaModalities, "instructions": text, "voice": text, "speed": decimal(0.25, 1.5),
		"input_audio_format": betaFormat, "output_audio_format": betaFormat, "input_audio_transcription": orNull(transcription),
		"input_audio_noise_reduction": orNull(betaNoise), "turn_detection": orNull(detection(false)),
		"tools": listOf(betaTool), "tool_choice": text, "temperature": betaTemperature, "max_response_output_tokens": maxTokens,
		"tracing": orNull(tracing), "prompt": orNull(prompt), "include": orNull(include),
	})})
	events["transcription_session.update"] = clientEvent(map[string]rule{"session!": members(map[string]rule{
		"modalities": betaModalities, "input_audio_format": betaFormat, "input_audio_transcription": orNull(transcription),
		"input_audio_noise_reduction": orNull(betaNoise), "turn_detection": orNull(detection(false)), "include": orNull(include),
	})})
	events["conversation.item.create"] = clientEvent(map[string]rule{"previous_item_id": orNull(text), "item!": byMember("type", betaItems())})
	input := betaItems()
	input["item_reference"] = members(map[string]rule{"type!": text, "id!": text})
	events["response.create"] = clientEvent(map[string]rule{"response": members(map[string]rule{
		"modalities": betaModalities, "instructions": text, "voice": text, "output_audio_format": betaFormat,
		"tools": listOf(betaTool), "tool_choice": text, "temperature": betaTemperature,
		// The schema has one name, the published example the other.
		"max_response_output_tokens": maxTokens, "max_output_tokens": maxTokens,
		"conversation": oneOf("auto", "none"), "metadata": orNull(metadata), "input": listOf(byMember("type", input)),
	})})
	return events
}

var (
	betaFormat      = oneOf("pcm16", "g711_ulaw", "g711_alaw")
	betaTemperature = decimal(0.6, 1.2)
	betaNoise       = members(map[string]rule{"type": oneOf("near_field", "far_field")})
	betaTool        = byMember("type", map[string]rule{"function": functionTool})
)

// betaModalities is text, or text and audio together: never audio alone.
func betaModalities(path string, v any) *Error {
	if err := listOf(oneOf("text", "audio"))(path, v); err != nil {
		return err
	}
	list := v.([]any)
	if len(list) == 2 && list[0] != list[1] || len(list) == 1 && list[0] == "text" {
		return nil
	}
	return errValue(path, "Invalid modalities: expected one of ['text'] and ['audio', 'text'].")
}

func betaItems() map[string]rule {
	part := func(rules map[string]rule) rule {
		rules["type!"] = text
		return members(rules)
	}
	message := func(parts map[string]rule) rule {
		return item(map[string]rule{"role!": text, "content!": listOf(byMember("type", parts))})
	}
	inputText := part(map[string]rule{"text!": text})
	items := functionItems()
	items["message"] = byMember("role", map[string]rule{
		"system": message(map[string]rule{"input_text": inputText}),
		"user": message(map[string]rule{
			"input_text":  inputText,
			"input_audio": part(map[string]rule{"audio!": text, "transcript": text}),
		}),
		"assistant": message(map[string]rule{"text": inputText}),
	})
	return items
}
