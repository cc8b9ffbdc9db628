package mediastreamtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// TelnyxAPI is Telnyx's Call Control, as transport of the client that commands
// it. A call whose Config has it is told of by events, not by TeXML.
type TelnyxAPI struct {
	// Key is the only one that is let in.
	Key string
	// Transfer says what becomes of a transfer: the cause with which the new leg
	// ends, "" if it is answered, and when that is known. Default: answered at
	// once.
	Transfer func(Dialled) (cause string, after time.Duration)

	legs sync.WaitGroup // to targets of transfers

	mu       sync.Mutex
	calls    map[string]*controlled
	commands []string
}

// controlled is a call that commands are for.
type controlled struct {
	decided chan decision // capacity 1
	call    *Call         // nil before its stream
	over    bool
	gone    chan struct{} // of a leg to a target: closed when it is hung up
}

type decision struct {
	to  destination
	err error
}

// Commands returns the commands that were obeyed, by name.
func (a *TelnyxAPI) Commands() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.commands...)
}

// ring tells the gateway of a call, twice, and returns what it commands.
func (a *TelnyxAPI) ring(ctx context.Context, c *Call) (destination, error) {
	call := &controlled{decided: make(chan decision, 1)}
	a.mu.Lock()
	if a.calls == nil {
		a.calls = make(map[string]*controlled)
	}
	a.calls[c.cfg.CallSID] = call
	a.mu.Unlock()
	for range 2 {
		if err := a.tell(ctx, c, "call.initiated", nil); err != nil {
			return destination{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	select {
	case d := <-call.decided:
		if d.err == nil {
			a.mu.Lock()
			call.call = c
			a.mu.Unlock()
			d.err = a.tell(ctx, c, "call.answered", nil)
		}
		return d.to, d.err
	case <-ctx.Done():
		return destination{}, fmt.Errorf("mediastreamtest: no command came: %w", context.Cause(ctx))
	}
}

// tell sends an event; members are what it has beside those of every event, or
// instead of them.
func (a *TelnyxAPI) tell(ctx context.Context, c *Call, event string, members map[string]any) error {
	payload := map[string]any{
		"call_control_id": c.cfg.CallSID, "from": c.cfg.From, "to": c.cfg.To,
		"direction": "incoming", "state": "parked", "tags": []string{"a"}, "client_state": nil,
	}
	maps.Copy(payload, members)
	body, err := json.Marshal(map[string]any{"data": map[string]any{
		"record_type": "event", "event_type": event, "id": "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
		"payload": payload,
	}})
	if err != nil {
		return fmt.Errorf("mediastreamtest: event: %w", err)
	}
	_, err = request(ctx, &c.cfg, jsonType, string(body), telnyxHeader(&c.cfg, string(body)))
	return err
}

// RoundTrip implements [http.RoundTripper].
func (a *TelnyxAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	return roundTrip(r, a.serve)
}

// roundTrip lets serve answer a request.
func roundTrip(r *http.Request, serve func(r *http.Request, body []byte) (status int, text string)) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	status, text := serve(r, body)
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {jsonType}}, Body: io.NopCloser(strings.NewReader(text)), Request: r,
	}, nil
}

func (a *TelnyxAPI) serve(r *http.Request, body []byte) (status int, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	segments := strings.Split(r.URL.EscapedPath(), "/") // /v2/calls/ID/actions/NAME
	if r.Header.Get("Authorization") != "Bearer "+a.Key {
		return http.StatusUnauthorized, `{"errors":[{"code":"10009"}]}`
	}
	if r.Method != http.MethodPost || len(segments) != 6 || segments[1] != "v2" || segments[2] != "calls" || segments[4] != "actions" {
		return http.StatusNotFound, `{"errors":[{"code":"10005"}]}`
	}
	id, err := url.PathUnescape(segments[3])
	call := a.calls[id]
	if err != nil || call == nil || call.over {
		return http.StatusUnprocessableEntity, `{"errors":[{"code":"90018","title":"Call has already ended"}]}`
	}
	if segments[5] == "transfer" && call.call != nil {
		if err := a.transfer(call.call, body); err != nil {
			return http.StatusUnprocessableEntity, `{"errors":[{"code":"10015"}]}`
		}
		a.commands = append(a.commands, "transfer")
		return http.StatusOK, `{"data":{"result":"ok"}}`
	}
	d, err := decide(segments[5], body)
	switch {
	case err != nil:
		return http.StatusUnprocessableEntity, `{"errors":[{"code":"10015"}]}`
	case segments[5] != "hangup" && call.call != nil:
		return http.StatusUnprocessableEntity, `{"errors":[{"code":"90034"}]}`
	case segments[5] == "hangup":
		call.over = true
		if call.gone != nil {
			close(call.gone)
		}
		if call.call != nil {
			_ = call.call.tell(r.Context(), control{kind: hangUp, cause: fmt.Errorf("mediastreamtest: the gateway hangs up: %w", media.CallerHungUp)}, false) // it may be over
		}
	default:
		call.over = d.err != nil
		call.decided <- d
	}
	a.commands = append(a.commands, segments[5])
	return http.StatusOK, `{"data":{"result":"ok"}}`
}

// decide reads a command.
func decide(name string, body []byte) (decision, error) {
	var c struct {
		CommandID    string `json:"command_id"`
		Cause        string `json:"cause"`
		URL          string `json:"stream_url"`
		Track        string `json:"stream_track"`
		Codec        string `json:"stream_codec"`
		Mode         string `json:"stream_bidirectional_mode"`
		Back         string `json:"stream_bidirectional_codec"`
		SamplingRate int    `json:"stream_bidirectional_sampling_rate"`
		Legs         string `json:"stream_bidirectional_target_legs"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return decision{}, fmt.Errorf("mediastreamtest: %s: %w", name, err)
	}
	switch {
	case name == "hangup":
		return decision{}, nil
	case name == "reject" && c.Cause == "USER_BUSY":
		return decision{err: &RejectedError{Reason: "busy"}}, nil
	case name == "reject" && c.Cause == "CALL_REJECTED":
		return decision{err: &RejectedError{Reason: "rejected"}}, nil
	case name == "answer" && below(c.URL) && c.Track == "inbound_track" && c.Codec == "PCMU" && c.Mode == "rtp" && c.Back == "PCMU" && c.SamplingRate == 8000 && c.Legs == "self":
		return decision{to: destination{url: c.URL}}, nil
	}
	return decision{}, fmt.Errorf("mediastreamtest: %s: %s", name, body)
}
