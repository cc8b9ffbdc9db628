package mediastreamtest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// TeXMLAPI is Telnyx's API over calls of TeXML applications, as transport of the
// client that asks it. Calls belong to it whose Config names it.
type TeXMLAPI struct {
	// Key is the only one that is let in.
	Key string
	// Transfer says what becomes of a transfer: the DialCallStatus, and when that
	// is known. Default: completed, at once.
	Transfer func(Dialled) (status string, after time.Duration)

	office
}

// RoundTrip implements [http.RoundTripper].
func (a *TeXMLAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	return roundTrip(r, a.serve)
}

func (a *TeXMLAPI) serve(r *http.Request, body []byte) (status int, text string) {
	if r.Header.Get("Authorization") != "Bearer "+a.Key {
		return http.StatusUnauthorized, `{"errors":[{"code":"10009"}]}`
	}
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodPost && len(segments) == 5 && strings.Join(segments[:2], "/") == "v2/calls" && strings.Join(segments[3:], "/") == "actions/hangup":
		c := a.find(segments[2])
		if c == nil {
			return http.StatusUnprocessableEntity, `{"errors":[{"code":"90018"}]}`
		}
		a.end(c)
		return http.StatusOK, `{"data":{"result":"ok"}}`
	case r.Method == http.MethodPost && len(segments) == 6 && strings.Join(segments[:3], "/") == "v2/texml/Accounts" && segments[4] == "Calls":
		c := a.find(segments[5])
		if c == nil || c.cfg.AccountSID != segments[3] {
			return http.StatusNotFound, `{"errors":[{"code":"10005"}]}`
		}
		here, d, err := readTeXMLUpdate(c, r.Header.Get("Content-Type"), string(body))
		if err != nil {
			a.violation("%v", err)
			return http.StatusUnprocessableEntity, `{"errors":[{"code":"10015"}]}`
		}
		a.detour(c, func(ctx context.Context) error { return a.dial(ctx, here, d) })
		return http.StatusOK, `{"sid":"` + segments[5] + `","status":"in-progress"}`
	}
	return http.StatusNotFound, `{"errors":[{"code":"10005"}]}`
}

// readTeXMLUpdate reads whom a call is to dial, and where it goes on then.
func readTeXMLUpdate(c *Call, contentType, body string) (here Config, d Dialled, err error) {
	form, err := url.ParseQuery(body)
	if err != nil || contentType != formType || unknown(form, "Texml") != "" {
		return here, d, fmt.Errorf("mediastreamtest: update: %s: %s: %w", contentType, body, err)
	}
	verbs, err := readVerbs(form.Get("Texml"))
	if err != nil {
		return here, d, err
	}
	if len(verbs) != 1 || verbs[0].dial == nil || verbs[0].action == "" {
		return here, d, fmt.Errorf("mediastreamtest: update: not a Dial with an action: %s", body)
	}
	d = *verbs[0].dial
	if d.Timeout < 5*time.Second || d.Timeout > 120*time.Second {
		return here, d, fmt.Errorf("mediastreamtest: update: timeout %v", d.Timeout)
	}
	here, err = c.cfg.at(verbs[0].action)
	return here, d, err
}

// dial rings somebody else, and asks what to do then.
func (a *TeXMLAPI) dial(ctx context.Context, here Config, d Dialled) error {
	status := d.ring(a.Transfer, "completed", "no-answer")
	form := callForm(&here)
	form.Set("CallStatus", "in-progress")
	form.Set("DialCallStatus", status)
	body := form.Encode()
	text, err := request(ctx, &here, formType, body, telnyxHeader(&here, body))
	if err != nil {
		return err
	}
	to, err := readTeXML(text)
	if err != nil {
		return nil // the gateway ends the call
	}
	return a.carry(ctx, here, to)
}
