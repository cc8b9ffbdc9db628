package realtimetest

import (
	"fmt"
	"math"
)

// Rules that both dialects share.

// clientEvent is an event of these members beside type and event_id.
func clientEvent(rules map[string]rule) rule {
	all := map[string]rule{"type!": text, "event_id": textUpTo(512)}
	for name, r := range rules {
		all[name] = r
	}
	return members(all)
}

// commonEvents are the client events that the dialects write alike.
func commonEvents() map[string]rule {
	return map[string]rule{
		"input_audio_buffer.append":  clientEvent(map[string]rule{"audio!": text}),
		"input_audio_buffer.commit":  clientEvent(nil),
		"input_audio_buffer.clear":   clientEvent(nil),
		"output_audio_buffer.clear":  clientEvent(nil),
		"conversation.item.delete":   clientEvent(map[string]rule{"item_id!": text}),
		"conversation.item.retrieve": clientEvent(map[string]rule{"item_id!": text}),
		"conversation.item.truncate": clientEvent(map[string]rule{"item_id!": text, "content_index!": integer(0, math.MaxInt32), "audio_end_ms!": integer(0, math.MaxInt32)}),
		"response.cancel":            clientEvent(map[string]rule{"response_id": text}),
	}
}

// maxTokens is 1 to 4096, or "inf".
var maxTokens = stringOr(oneOf("inf"), integer(1, 4096))

// metadata holds at most 16 pairs of short strings.
func metadata(path string, v any) *Error {
	m, ok := v.(map[string]any)
	if !ok {
		return errType(path, "an object", kindOf(v))
	}
	if len(m) > 16 {
		return errValue(path, fmt.Sprintf("Invalid '%s': too many properties. Expected at most 16, but got %d instead.", path, len(m)))
	}
	for key, value := range m {
		if err := textUpTo(64)(path, key); err != nil {
			return err
		}
		if err := textUpTo(512)(join(path, key), value); err != nil {
			return err
		}
	}
	return nil
}

// detection is turn_detection; the idle time-out is the GA dialect's.
func detection(idle bool) rule {
	server := map[string]rule{
		"type!": text, "threshold": decimal(0, 1), "prefix_padding_ms": integer(0, 60_000), "silence_duration_ms": integer(0, 60_000),
		"create_response": boolean, "interrupt_response": boolean,
	}
	if idle {
		server["idle_timeout_ms"] = orNull(integer(5000, 30_000))
	}
	return byMember("type", map[string]rule{
		"server_vad":   members(server),
		"semantic_vad": members(map[string]rule{"type!": text, "eagerness": oneOf("low", "medium", "high", "auto"), "create_response": boolean, "interrupt_response": boolean}),
	})
}

var (
	transcription = members(map[string]rule{
		"model": text, "language": text, "languages": listOf(text), "keywords": listOf(text), "prompt": text,
		"delay": oneOf("minimal", "low", "medium", "high", "xhigh"),
	})
	prompt  = members(map[string]rule{"id!": text, "version": orNull(text), "variables": orNull(anyObject)})
	include = listOf(oneOf("item.input_audio_transcription.logprobs"))
	tracing = stringOr(oneOf("auto"), members(map[string]rule{"workflow_name": text, "group_id": text, "metadata": anyObject}))

	functionTool = members(map[string]rule{"type!": text, "name!": text, "description": text, "parameters": anyObject})
)

// itemID is what a client may call its items.
var itemID = textUpTo(32)

// The items that both dialects know, besides messages.
func functionItems() map[string]rule {
	return map[string]rule{
		"function_call":        item(map[string]rule{"call_id": text, "name!": text, "arguments!": text}),
		"function_call_output": item(map[string]rule{"call_id!": text, "output!": text}),
	}
}

// item is a conversation item with these members beside the usual ones.
func item(rules map[string]rule) rule {
	all := map[string]rule{"id": itemID, "object": oneOf("realtime.item"), "type!": text, "status": oneOf("completed", "incomplete", "in_progress")}
	for name, r := range rules {
		all[name] = r
	}
	return members(all)
}
