package realtime

import (
	"encoding/json"
	"errors"
	"strings"
)

// message has every member that some server event has; each event fills its
// own.
type message struct {
	Type           string          `json:"type"`
	Session        json.RawMessage `json:"session"`
	Item           Item            `json:"item"`
	ItemID         string          `json:"item_id"`
	PreviousItemID string          `json:"previous_item_id"`
	ResponseID     string          `json:"response_id"`
	OutputIndex    int             `json:"output_index"`
	ContentIndex   int             `json:"content_index"`
	AudioStartMS   int64           `json:"audio_start_ms"`
	AudioEndMS     int64           `json:"audio_end_ms"`
	Digit          string          `json:"event"`
	Delta          string          `json:"delta"`
	Transcript     string          `json:"transcript"`
	Text           string          `json:"text"`
	CallID         string          `json:"call_id"`
	Name           string          `json:"name"`
	Arguments      string          `json:"arguments"`
	Response       Response        `json:"response"`
	RateLimits     []RateLimit     `json:"rate_limits"`
	Error          ErrorDetail     `json:"error"`

	Usage *TranscriptionUsage `json:"usage"`
}

// decode returns msg as an event, whatever it is. It is tolerant: nulls are
// zero values, unknown members are passed over, and an event some member of
// which has an unexpected type is still that event without the member; err then
// says so. The event owns all that it holds.
func decode(msg []byte) (event Event, err error) {
	var m message
	if err := json.Unmarshal(msg, &m); err != nil {
		// A member of the wrong type does not keep the others from being read,
		// and an end of a response must not get lost over a peculiar number.
		var wrongType *json.UnmarshalTypeError
		if !errors.As(err, &wrongType) || wrongType.Field == "" || wrongType.Field == "type" {
			return Unknown{Type: m.Type, Raw: clone(msg), Err: err}, err
		}
		if event = m.event(); event == nil {
			return Unknown{Type: m.Type, Raw: clone(msg)}, nil
		}
		return event, err
	}
	if event = m.event(); event == nil {
		return Unknown{Type: m.Type, Raw: clone(msg)}, nil
	}
	return event, nil
}

func clone(msg []byte) json.RawMessage { return append(json.RawMessage(nil), msg...) }

// event returns the event of the message's type, nil if it is not one of those
// that have a struct. Where the dialects differ, GA's name comes first.
func (m *message) event() Event {
	m.Item.normalize()
	for i := range m.Response.Output {
		m.Response.Output[i].normalize()
	}
	part := ContentRef{m.ResponseID, m.ItemID, m.OutputIndex, m.ContentIndex}
	// The published example of the DTMF event has a space before its type.
	switch strings.TrimSpace(m.Type) {
	case "session.created":
		return SessionCreated{effective(m.Session)}
	case "session.updated":
		return SessionUpdated{Session: effective(m.Session)}
	case "input_audio_buffer.speech_started":
		return SpeechStarted{m.ItemID, m.AudioStartMS}
	case "input_audio_buffer.speech_stopped":
		return SpeechStopped{m.ItemID, m.AudioEndMS}
	case "input_audio_buffer.timeout_triggered":
		return InputTimeout{m.ItemID, m.AudioStartMS, m.AudioEndMS}
	case "input_audio_buffer.committed":
		return InputCommitted{m.ItemID, m.PreviousItemID}
	case "input_audio_buffer.cleared":
		return InputCleared{}
	case "input_audio_buffer.dtmf_event_received":
		return DTMFReceived{m.Digit}
	case "conversation.item.added", "conversation.item.created":
		return ItemAdded{Item: m.Item, PreviousItemID: m.PreviousItemID}
	case "conversation.item.done":
		return ItemDone{Item: m.Item}
	case "conversation.item.retrieved":
		return ItemRetrieved{m.Item}
	case "conversation.item.deleted":
		return ItemDeleted{m.ItemID}
	case "conversation.item.truncated":
		return ItemTruncated{m.ItemID, m.ContentIndex, m.AudioEndMS}
	case "conversation.item.input_audio_transcription.delta":
		return TranscriptionDelta{m.ItemID, m.ContentIndex, m.Delta}
	case "conversation.item.input_audio_transcription.completed":
		return TranscriptionDone{m.ItemID, m.ContentIndex, m.Transcript, m.Usage}
	case "conversation.item.input_audio_transcription.failed":
		return TranscriptionFailed{m.ItemID, m.Error}
	case "response.created":
		return ResponseCreated{m.Response}
	case "response.output_item.added":
		return OutputItemAdded{m.ResponseID, m.OutputIndex, m.Item}
	case "response.output_item.done":
		return OutputItemDone{m.ResponseID, m.OutputIndex, m.Item}
	case "response.output_audio.done", "response.audio.done":
		return AudioDone{part}
	case "response.output_audio_transcript.delta", "response.audio_transcript.delta":
		return TranscriptDelta{part, m.Delta}
	case "response.output_audio_transcript.done", "response.audio_transcript.done":
		return TranscriptDone{part, m.Transcript}
	case "response.output_text.delta", "response.text.delta":
		return TextDelta{part, m.Delta}
	case "response.output_text.done", "response.text.done":
		return TextDone{part, m.Text}
	case "response.function_call_arguments.done":
		return FunctionCallArgumentsDone{part, m.CallID, m.Name, m.Arguments}
	case "response.done":
		return ResponseDone{m.Response}
	case "rate_limits.updated":
		return RateLimitsUpdated{m.RateLimits}
	case "error":
		return ErrorEvent{m.Error}
	}
	if event := m.mcpEvent(m.Type); event != nil {
		return event
	}
	return nil
}
