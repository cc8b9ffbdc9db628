package realtimetest

import "maps"

// gaEvents are the eleven client events of the GA dialect.
func gaEvents() map[string]rule {
	events := commonEvents()
	events["session.update"] = clientEvent(map[string]rule{"session!": byMember("type", map[string]rule{
		"realtime": members(map[string]rule{
			"type!": text, "model": text, "instructions": text, "output_modalities": gaModalities,
			"audio": members(map[string]rule{
				"input": gaInput,
				"output": members(map[string]rule{
					"format": gaFormat, "voice": gaVoice, "speed": decimal(0.25, 1.5),
				}),
			}),
			"tools": listOf(gaTool), "tool_choice": gaToolChoice, "parallel_tool_calls": boolean, "reasoning": gaReasoning,
			"max_output_tokens": maxTokens, "truncation": gaTruncation, "tracing": orNull(tracing), "prompt": orNull(prompt), "include": orNull(include),
		}),
		"transcription": members(map[string]rule{
			"type!": text, "include": orNull(include), "audio": members(map[string]rule{"input": gaInput}),
		}),
	})})
	events["conversation.item.create"] = clientEvent(map[string]rule{"previous_item_id": orNull(text), "item!": gaItem()})
	input := gaItemRules()
	input["item_reference"] = members(map[string]rule{"type!": text, "id!": text})
	events["response.create"] = clientEvent(map[string]rule{"response": members(map[string]rule{
		"instructions": text, "output_modalities": gaModalities,
		"audio": members(map[string]rule{"output": members(map[string]rule{"format": gaFormat, "voice": gaVoice})}),
		"tools": listOf(gaTool), "tool_choice": gaToolChoice, "parallel_tool_calls": boolean, "reasoning": gaReasoning,
		"max_output_tokens": maxTokens, "conversation": oneOf("auto", "none"), "metadata": orNull(metadata), "prompt": orNull(prompt),
		"input": listOf(byMember("type", input)),
	})})
	return events
}

var (
	gaInput = members(map[string]rule{
		"format": gaFormat, "transcription": orNull(transcription), "turn_detection": orNull(detection(true)),
		"noise_reduction": orNull(members(map[string]rule{"type": oneOf("near_field", "far_field"), "strength": decimal(0, 10)})),
	})
	gaFormat = byMember("type", map[string]rule{
		"audio/pcm":  members(map[string]rule{"type!": text, "rate": integer(24_000, 24_000)}),
		"audio/pcmu": members(map[string]rule{"type!": text}),
		"audio/pcma": members(map[string]rule{"type!": text}),
	})
	gaVoice      = stringOr(text, members(map[string]rule{"id!": text}))
	gaReasoning  = members(map[string]rule{"effort": oneOf("minimal", "low", "medium", "high", "xhigh")})
	gaTruncation = stringOr(oneOf("auto", "disabled"), members(map[string]rule{
		"type!": oneOf("retention_ratio"), "retention_ratio!": decimal(0, 1),
		"token_limits": members(map[string]rule{"post_instructions": integer(0, 1<<31)}),
	}))
	gaToolChoice = stringOr(oneOf("auto", "none", "required"), byMember("type", map[string]rule{
		"function": members(map[string]rule{"type!": text, "name!": text}),
		"mcp":      members(map[string]rule{"type!": text, "server_label!": text, "name": orNull(text)}),
	}))
	gaTool = byMember("type", map[string]rule{
		"function": functionTool,
		"mcp": members(map[string]rule{
			"type!": text, "server_label!": text, "server_url": text, "connector_id": text, "tunnel_id": text, "authorization": text,
			"server_description": text, "headers": orNull(anyObject), "allowed_tools": anything, "allowed_callers": anything,
			"require_approval": anything, "defer_loading": boolean,
		}),
	})
)

// gaModalities is one of audio and text: never both, as Beta had it.
func gaModalities(path string, v any) *Error {
	if err := listOf(oneOf("text", "audio"))(path, v); err != nil {
		return err
	}
	if len(v.([]any)) != 1 {
		return errValue(path, "Invalid modalities: expected one of ['text'] and ['audio'].")
	}
	return nil
}

func gaItem() rule { return byMember("type", gaItemRules()) }

func gaItemRules() map[string]rule {
	content := func(kinds map[string]rule) rule { return listOf(byMember("type", kinds)) }
	part := func(rules map[string]rule) rule {
		rules["type!"] = text
		return members(rules)
	}
	message := func(parts map[string]rule) rule {
		return item(map[string]rule{"role!": text, "content!": content(parts)})
	}
	inputText := part(map[string]rule{"text!": text})
	rules := functionItems()
	maps.Copy(rules, map[string]rule{
		"message": byMember("role", map[string]rule{
			"system": message(map[string]rule{"input_text": inputText}),
			"user": message(map[string]rule{
				"input_text":  inputText,
				"input_audio": part(map[string]rule{"audio!": text, "transcript": text}),
				"input_image": part(map[string]rule{"image_url!": text, "detail": oneOf("auto", "low", "high")}),
			}),
			// The audio of past answers cannot be given back to the model.
			"assistant": message(map[string]rule{"output_text": inputText}),
		}),
		"mcp_approval_response": members(map[string]rule{"type!": text, "id": itemID, "approval_request_id!": text, "approve!": boolean, "reason": orNull(text)}),
	})
	return rules
}
