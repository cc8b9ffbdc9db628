package mediastreamtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// JambonzAPI is the API of a jambonz server, as transport of the client that asks
// it. Calls belong to it whose Config names it.
type JambonzAPI struct {
	// Account and Key are the only ones that are let in.
	Account, Key string
	// Transfer says what becomes of a transfer: the dial_call_status, and when
	// that is known. Default: completed, at once.
	Transfer func(Dialled) (status string, after time.Duration)

	office
}

// RoundTrip implements [http.RoundTripper].
func (a *JambonzAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	return roundTrip(r, a.serve)
}

func (a *JambonzAPI) serve(r *http.Request, body []byte) (status int, text string) {
	if r.Header.Get("Authorization") != "Bearer "+a.Key {
		return http.StatusUnauthorized, ""
	}
	call, ok := strings.CutPrefix(r.URL.Path, "/v1/Accounts/"+a.Account+"/Calls/")
	c := a.find(call)
	if !ok || c == nil {
		return http.StatusNotFound, ""
	}
	if r.Method != http.MethodPut || r.Header.Get("Content-Type") != jsonType {
		return http.StatusMethodNotAllowed, ""
	}
	var v struct {
		Status string                        `json:"call_status"`
		Hook   *struct{ URL, Method string } `json:"call_hook"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&v)
	switch {
	case err != nil || (v.Status == "") == (v.Hook == nil):
	case v.Status == "completed":
		a.end(c)
		return http.StatusAccepted, ""
	case v.Hook != nil && v.Hook.Method == http.MethodPost:
		here, err := c.cfg.at(v.Hook.URL)
		if err != nil {
			break
		}
		a.detour(c, func(ctx context.Context) error { return a.goOn(ctx, here) })
		return http.StatusAccepted, ""
	}
	a.violation("update: %s", body)
	return http.StatusBadRequest, `{"msg":"bad request"}`
}

// goOn does what the verbs at here say.
func (a *JambonzAPI) goOn(ctx context.Context, here Config) error {
	text, err := a.ask(ctx, &here, nil)
	if err != nil {
		return err
	}
	d, action, err := readJambonzDial(text)
	if err != nil {
		return err
	}
	if here, err = here.at(action); err != nil {
		return err
	}
	status := d.ring(a.Transfer, "completed", "ringing") // which is what it leaves there
	if text, err = a.ask(ctx, &here, map[string]any{"dial_call_status": status, "dial_sip_status": 487, "dial_call_sid": here.CallSID + "-b"}); err != nil {
		return err
	}
	to, err := readVerbList(text)
	if err != nil {
		return nil // the gateway ends the call
	}
	return a.carry(ctx, here, to)
}

// ask asks the gateway what a call is to do next.
func (a *JambonzAPI) ask(ctx context.Context, here *Config, more map[string]any) ([]byte, error) {
	members := map[string]any{
		"call_sid": here.CallSID, "account_sid": here.AccountSID, "direction": "inbound",
		"from": here.From, "to": here.To, "call_status": "in-progress", "sip_status": 200,
	}
	maps.Copy(members, more)
	body, err := jsonBody(&Config{}, members)
	if err != nil {
		return nil, err
	}
	return request(ctx, here, jsonType, body, jambonzHeader(here, body))
}

// readJambonzDial reads verbs that call somebody else, and the URL that follows.
func readJambonzDial(text []byte) (d Dialled, action string, err error) {
	var verbs []struct {
		Verb, ActionHook, CallerID string
		Timeout                    int
		Headers                    map[string]string
		Target                     []struct{ Type, Number, SIPURI string }
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&verbs); err != nil {
		return d, "", fmt.Errorf("mediastreamtest: verbs: %w", err)
	}
	bad := fmt.Errorf("mediastreamtest: verbs: %s", text)
	if len(verbs) != 2 || verbs[0].Verb != "dial" || verbs[1].Verb != "hangup" || len(verbs[0].Target) != 1 || verbs[0].Timeout < 1 {
		return d, "", bad
	}
	v, to := verbs[0], verbs[0].Target[0]
	d = Dialled{Number: to.Number, SIP: to.SIPURI, CallerID: v.CallerID, Timeout: time.Duration(v.Timeout) * time.Second}
	switch {
	case v.CallerID != "" && !number.MatchString(v.CallerID):
		return d, "", bad
	case to.Type == "phone" && number.MatchString(to.Number) && to.SIPURI == "" && v.Headers == nil:
	case to.Type == "sip" && address.MatchString(to.SIPURI) && to.Number == "":
	default:
		return d, "", bad
	}
	for name, value := range v.Headers {
		if d.Headers == nil {
			d.Headers = make(url.Values)
		}
		d.Headers.Set(name, value)
	}
	return d, v.ActionHook, nil
}
