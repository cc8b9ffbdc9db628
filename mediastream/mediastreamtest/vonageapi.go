package mediastreamtest

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// VonageAPI is Vonage's Voice API, as transport of the client that asks it. Calls
// belong to it whose Config names it.
type VonageAPI struct {
	// Application is the only one that is let in, with a token that Key verifies.
	Application string
	Key         *rsa.PublicKey
	// Transfer says what becomes of a transfer: the last status of the new leg,
	// and when that is known. Default: completed, at once.
	Transfer func(Dialled) (status string, after time.Duration)

	office
}

// RoundTrip implements [http.RoundTripper].
func (a *VonageAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	return roundTrip(r, a.serve)
}

func (a *VonageAPI) serve(r *http.Request, body []byte) (status int, text string) {
	if err := a.admit(r.Header.Get("Authorization")); err != nil {
		return http.StatusUnauthorized, `{"type":"UNAUTHORIZED","error_title":"Unauthorized"}`
	}
	call, ok := strings.CutPrefix(r.URL.Path, "/v1/calls/")
	c := a.find(call)
	switch {
	case !ok || c == nil:
		return http.StatusNotFound, `{"type":"NOT_FOUND","error_title":"Not Found"}`
	case r.Method != http.MethodPut || r.Header.Get("Content-Type") != jsonType:
		return http.StatusMethodNotAllowed, ""
	case string(body) == `{"action":"hangup"}`:
		a.end(c)
		return http.StatusNoContent, ""
	}
	d, events, err := readVonageTransfer(body)
	if err == nil {
		var here Config
		if here, err = c.cfg.at(events); err == nil {
			a.detour(c, func(ctx context.Context) error { return a.connect(ctx, here, d) })
			return http.StatusNoContent, ""
		}
	}
	a.violation("%v", err)
	return http.StatusBadRequest, `{"type":"BAD_REQUEST","error_title":"Bad Request"}`
}

// admit checks a token: signed with RS256, for this application, new, and with
// an id and an end.
func (a *VonageAPI) admit(authorization string) error {
	token, _ := strings.CutPrefix(authorization, "Bearer ")
	var claims struct {
		jwt.RegisteredClaims
		Application string `json:"application_id"`
	}
	_, err := jwt.ParseWithClaims(
		token, &claims, func(*jwt.Token) (any, error) { return a.Key, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
	)
	if err == nil && (claims.Application != a.Application || claims.ID == "" || claims.IssuedAt == nil) {
		err = errors.New("mediastreamtest: token: of another application, or without id or time")
	}
	return err
}

// readVonageTransfer reads whom an NCCO connects a call to, and where the events
// of that leg go.
func readVonageTransfer(body []byte) (d Dialled, events string, err error) {
	var v struct {
		Action      string
		Destination struct {
			Type string
			NCCO []struct {
				Action    string
				From      string
				Timeout   int
				EventType string   `json:"eventType"`
				EventURL  []string `json:"eventUrl"`
				Endpoint  []struct {
					Type, Number, URI string
					Headers           map[string]string
				}
			}
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		return d, "", fmt.Errorf("mediastreamtest: transfer: %w", err)
	}
	bad := fmt.Errorf("mediastreamtest: transfer: %s", body)
	if v.Action != "transfer" || v.Destination.Type != "ncco" || len(v.Destination.NCCO) != 1 {
		return d, "", bad
	}
	n := v.Destination.NCCO[0]
	if n.Action != "connect" || n.EventType != "synchronous" || len(n.EventURL) != 1 || len(n.Endpoint) != 1 || n.Timeout < 1 || n.From != "" && !bareNumber.MatchString(n.From) {
		return d, "", bad
	}
	d.Timeout = time.Duration(n.Timeout) * time.Second
	if n.From != "" {
		d.CallerID = "+" + n.From
	}
	switch e := n.Endpoint[0]; {
	case e.Type == "phone" && bareNumber.MatchString(e.Number) && e.URI == "" && e.Headers == nil:
		d.Number = "+" + e.Number
	case e.Type == "sip" && address.MatchString(e.URI) && e.Number == "":
		d.SIP, d.Headers = e.URI, url.Values{}
		for name, value := range e.Headers {
			d.Headers.Set("X-"+name, value)
		}
	default:
		return d, "", bad
	}
	return d, n.EventURL[0], nil
}

// connect rings somebody else and tells here of it.
func (a *VonageAPI) connect(ctx context.Context, here Config, d Dialled) error {
	for _, progress := range []string{"started", "ringing"} {
		if err := a.tell(ctx, &here, d, progress); err != nil {
			return err
		}
	}
	status := d.ring(a.Transfer, "completed", "timeout")
	if status == "completed" {
		return errors.Join(a.tell(ctx, &here, d, "answered"), a.tell(ctx, &here, d, "completed"))
	}
	text, err := a.event(ctx, &here, d, status)
	if err != nil {
		return err
	}
	to, err := readNCCO(text)
	if err != nil {
		return nil // the gateway ends the call
	}
	for _, again := range []string{status, "completed"} { // told once more
		if err := a.tell(ctx, &here, d, again); err != nil {
			return err
		}
	}
	return a.carry(ctx, here, to)
}

// tell sends an event that nothing may answer.
func (a *VonageAPI) tell(ctx context.Context, here *Config, d Dialled, status string) error {
	text, err := a.event(ctx, here, d, status)
	if err == nil && len(text) > 0 {
		err = fmt.Errorf("mediastreamtest: event %s is answered: %s", status, text)
	}
	return err
}

// event sends an event of the new leg.
func (a *VonageAPI) event(ctx context.Context, here *Config, d Dialled, status string) ([]byte, error) {
	body, err := jsonBody(&Config{}, map[string]any{
		"from": strings.TrimPrefix(d.CallerID, "+"), "to": strings.TrimPrefix(d.Number+d.SIP, "+"),
		"uuid": here.CallSID + "-b", "conversation_uuid": "CON-" + here.CallSID + "-b",
		"status": status, "direction": "outbound", "timestamp": time.Now().UTC().Format(time.RFC3339Nano),
	})
	if err != nil {
		return nil, err
	}
	return request(ctx, here, jsonType, body, vonageHeader(here, body))
}
