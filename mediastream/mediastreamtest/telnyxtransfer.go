package mediastreamtest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Wait returns when no target of a transfer rings any more.
func (a *TelnyxAPI) Wait() { a.legs.Wait() }

// transfer dials a target beside a call. mu is held.
func (a *TelnyxAPI) transfer(c *Call, body []byte) error {
	d, state, err := readTelnyxTransfer(body)
	if err != nil {
		return err
	}
	cause, after := "", time.Duration(0)
	if a.Transfer != nil {
		cause, after = a.Transfer(d)
	}
	if after > d.Timeout {
		cause, after = "timeout", d.Timeout
	}
	id := c.cfg.CallSID + "/b"
	leg := &controlled{decided: make(chan decision, 1), gone: make(chan struct{})}
	a.calls[id] = leg
	of := func(more map[string]any) map[string]any {
		more["call_control_id"], more["client_state"], more["direction"], more["from"], more["to"] = id, state, "outgoing", c.cfg.To, d.Number+d.SIP
		return more
	}
	a.legs.Go(func() {
		ctx := context.Background()                                                   // the requests have their own bounds, and
		_ = a.tell(ctx, c, "call.initiated", of(map[string]any{"state": "bridging"})) // the gateway may be gone
		timer := time.NewTimer(after)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.done:
			cause = "originator_cancel"
		case <-leg.gone:
			cause = "normal_clearing"
		}
		if cause != "" {
			_ = a.tell(ctx, c, "call.hangup", of(map[string]any{"hangup_cause": cause, "hangup_source": "callee"}))
			return
		}
		_ = a.tell(ctx, c, "call.answered", of(map[string]any{}))
		_ = a.tell(ctx, c, "call.bridged", of(map[string]any{}))
		_ = a.tell(ctx, c, "call.bridged", nil)
	})
	return nil
}

// readTelnyxTransfer reads a command that dials a target, and the state that
// events of the new leg carry.
func readTelnyxTransfer(body []byte) (d Dialled, state string, err error) {
	var c struct {
		CommandID string                         `json:"command_id"`
		To        string                         `json:"to"`
		Timeout   int                            `json:"timeout_secs"`
		State     string                         `json:"target_leg_client_state"`
		Custom    []struct{ Name, Value string } `json:"custom_headers"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return d, "", fmt.Errorf("mediastreamtest: transfer: %w", err)
	}
	d = Dialled{Timeout: time.Duration(c.Timeout) * time.Second}
	_, notBase64 := base64.StdEncoding.DecodeString(c.State)
	switch {
	case c.Timeout < 5 || c.Timeout > 600 || c.CommandID == "" || notBase64 != nil:
		return d, "", fmt.Errorf("mediastreamtest: transfer: %s", body)
	case number.MatchString(c.To) && c.Custom == nil:
		d.Number = c.To
	case address.MatchString(c.To):
		d.SIP, d.Headers = c.To, url.Values{}
		for _, h := range c.Custom {
			if !strings.HasPrefix(strings.ToLower(h.Name), "x-") {
				return d, "", fmt.Errorf("mediastreamtest: transfer: header %q", h.Name)
			}
			d.Headers.Set(h.Name, h.Value)
		}
	default:
		return d, "", fmt.Errorf("mediastreamtest: transfer: to %q", c.To)
	}
	return d, c.State, nil
}
