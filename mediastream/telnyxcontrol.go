package mediastream

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/callgw/callgw/bridge/media"
)

// paramEvent is the type of a Call Control event, "" in TeXML.
const paramEvent = "EventType"

// telnyxControl is a Call Control application of Telnyx: its webhooks are events
// in JSON, to be acknowledged at once, and what is to be done with a call is a
// command by REST. The end of the stream does not end the call there: hanging up
// is a command too.
func telnyxControl(texml *profile) *profile {
	p := *texml
	p.transfer = transferByCallControl
	p.eventful = true
	p.unbound = false // the start message names the call as its events do
	p.answers = answers{
		connect: func(c connection) string {
			return command("answer", map[string]any{
				"stream_url":                         c.stream + "/" + c.token,
				"stream_track":                       "inbound_track", // both would include our own audio
				"stream_codec":                       "PCMU",
				"stream_bidirectional_mode":          "rtp", // default: MP3
				"stream_bidirectional_codec":         "PCMU",
				"stream_bidirectional_sampling_rate": media.SampleRate,
				"stream_bidirectional_target_legs":   "self",
			})
		},
		reject: func(cause media.Cause) string {
			word := "CALL_REJECTED"
			if rejection(cause) == "busy" {
				word = "USER_BUSY"
			}
			return command("reject", map[string]any{"cause": word})
		},
		hangup: func() string { return command("hangup", map[string]any{}) },
	}
	// A sentence would take an answer, the wait for it, and a hang-up.
	p.answers.say = func(string) string { return p.answers.reject(media.Busy) }
	return &p
}

// command returns a command and its body. Repeated, it does nothing.
func command(name string, body map[string]any) string {
	body["command_id"] = rand.Text()
	return name + " " + asJSON(body)
}

// telnyxParams returns what a TeXML request or a Call Control event tells.
func telnyxParams(r *http.Request, body []byte) (url.Values, error) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return r.Form, nil
	}
	var event struct {
		Data struct {
			Type    string          `json:"event_type"`
			Payload json.RawMessage `json:"payload"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return nil, fmt.Errorf("mediastream: event: %w", err)
	}
	if event.Data.Type == "" {
		return nil, fmt.Errorf("mediastream: event: no type")
	}
	params, err := jsonParams(r, event.Data.Payload)
	if err != nil {
		return nil, err
	}
	params.Set(paramEvent, event.Data.Type)
	switch event.Data.Type {
	case "call.hangup":
		params.Set("CallStatus", "completed")
	case "call.answered":
		params.Set("CallStatus", "in-progress")
	case "streaming.failed":
		params.Set("StreamEvent", "stream-error")
		params.Set("StreamError", "the carrier could not connect the stream")
	case "streaming.started", "streaming.stopped":
		params.Set("StreamEvent", strings.Replace(event.Data.Type, "streaming.", "stream-", 1))
	}
	return renamed(params, "call_control_id", "CallSid", "from", "From", "to", "To"), nil
}

// controlled serves an event of a carrier that takes commands.
func (h *Handler) controlled(w http.ResponseWriter, r *http.Request, params url.Values) {
	call := params.Get("CallSid")
	switch {
	case h.cfg.API == nil || call == "":
		h.reject(r, rejectRequest)
		http.Error(w, "no credentials to command with, or no call", http.StatusBadRequest)
		return
	case h.dialled(params):
	case params.Get(paramEvent) != "call.initiated":
		h.told(r, params)
	case params.Get("direction") != "incoming":
	default:
		s := newStream(h, params)
		s.profile = h.profile.control
		if !h.remember(s) { // at once, as it may be told twice
			h.reject(r, rejectDuplicate)
			break
		}
		begun := h.errands.Start(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.cfg.AnswerTimeout+hangUpPatience)
			defer cancel()
			h.await(r.WithContext(ctx), s, func(document string) bool { return h.command(ctx, s, document) })
		})
		if !begun {
			h.forget(s)
			http.Error(w, "shutting down", http.StatusServiceUnavailable)
			return
		}
	}
	w.WriteHeader(http.StatusOK)
}

// command sends a command. It returns false if the carrier refuses it: the call
// has ended, most often.
func (h *Handler) command(ctx context.Context, s *Stream, document string) bool {
	name, body, _ := strings.Cut(document, " ")
	if err := h.cfg.API.Command(ctx, s.call, name, body); err != nil {
		s.log.Warn().Err(err).Str("command", name).Msg("the carrier refuses a command")
		return false
	}
	return true
}
