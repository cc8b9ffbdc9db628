package mediastreamtest

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// PlivoAPI is Plivo's call API, as transport of the client that asks it. Calls
// belong to it whose Config names it.
type PlivoAPI struct {
	// ID and Token are the only ones that are let in.
	ID, Token string
	// Transfer says what becomes of a transfer: the DialStatus, and when that is
	// known. Default: completed, at once.
	Transfer func(Dialled) (status string, after time.Duration)

	office
}

// RoundTrip implements [http.RoundTripper].
func (a *PlivoAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	return roundTrip(r, a.serve)
}

func (a *PlivoAPI) serve(r *http.Request, body []byte) (status int, text string) {
	id, token, _ := r.BasicAuth()
	if id != a.ID || token != a.Token {
		return http.StatusUnauthorized, `Could not verify your access level for that URL.`
	}
	call, ok := strings.CutPrefix(r.URL.Path, "/v1/Account/"+a.ID+"/Call/")
	call, slash := strings.CutSuffix(call, "/")
	c := a.find(call)
	if !ok || !slash || c == nil {
		return http.StatusNotFound, `{"error":"not found"}`
	}
	switch r.Method {
	case http.MethodDelete:
		a.end(c)
		return http.StatusNoContent, ""
	case http.MethodPost:
		here, err := readPlivoTransfer(c, body)
		if err != nil {
			return http.StatusBadRequest, `{"error":` + strconv.Quote(err.Error()) + `}`
		}
		a.detour(c, func(ctx context.Context) error { return a.goOn(ctx, here) })
		return http.StatusAccepted, `{"message":"transfer executed","call_uuids":["` + call + `"]}`
	}
	return http.StatusMethodNotAllowed, ""
}

// readPlivoTransfer returns where a call is to go on.
func readPlivoTransfer(c *Call, body []byte) (Config, error) {
	var v struct {
		Legs   string `json:"legs"`
		URL    string `json:"aleg_url"`
		Method string `json:"aleg_method"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		return Config{}, err
	}
	if v.Legs != "aleg" || v.Method != http.MethodPost {
		return Config{}, fmt.Errorf("legs %q, method %q", v.Legs, v.Method)
	}
	return c.cfg.at(v.URL)
}

// goOn does what the XML at here says.
func (a *PlivoAPI) goOn(ctx context.Context, here Config) error {
	text, err := a.ask(ctx, &here, url.Values{"CallStatus": {"in-progress"}})
	if err != nil {
		return err
	}
	d, action, err := readPlivoDial(text)
	if err != nil {
		return err
	}
	if here, err = here.at(action); err != nil {
		return err
	}
	status := d.ring(a.Transfer, "completed", "timeout")
	if text, err = a.ask(ctx, &here, url.Values{"CallStatus": {"in-progress"}, "DialStatus": {status}, "DialHangupCause": {"x"}}); err != nil {
		return err
	}
	to, err := readPlivoXML(text)
	if err != nil {
		return nil // the gateway ends the call
	}
	return a.carry(ctx, here, to)
}

// ask asks the gateway what a call is to do next.
func (a *PlivoAPI) ask(ctx context.Context, here *Config, form url.Values) ([]byte, error) {
	for name, value := range map[string]string{
		"CallUUID": here.CallSID, "Direction": "inbound",
		"From": strings.TrimPrefix(here.From, "+"), "To": strings.TrimPrefix(here.To, "+"),
	} {
		form.Set(name, value)
	}
	return request(ctx, here, formType, form.Encode(), plivoHeader(here, form))
}

var (
	// bareNumber is a number without its plus sign.
	bareNumber = regexp.MustCompile(`^[1-9][0-9]{1,14}$`)
	plivoName  = regexp.MustCompile(`^[A-Za-z0-9]+$`)
	plivoValue = regexp.MustCompile(`^[A-Za-z0-9%]*$`)
)

// readPlivoDial reads XML that calls somebody else, and the URL that follows.
func readPlivoDial(text []byte) (d Dialled, action string, err error) {
	var r struct {
		XMLName xml.Name `xml:"Response"`
		Dial    struct {
			Action   string `xml:"action,attr"`
			Method   string `xml:"method,attr"`
			Timeout  int    `xml:"timeout,attr"`
			CallerID string `xml:"callerId,attr"`
			Headers  string `xml:"sipHeaders,attr"`
			Number   string
			User     string
		}
	}
	if err := xml.Unmarshal(text, &r); err != nil {
		return d, "", fmt.Errorf("mediastreamtest: XML: %w", err)
	}
	v := r.Dial
	d = Dialled{SIP: v.User, Timeout: time.Duration(v.Timeout) * time.Second}
	if v.CallerID != "" {
		d.CallerID = "+" + v.CallerID
	}
	if v.Number != "" {
		d.Number = "+" + v.Number
	}
	known := v.User == "" && bareNumber.MatchString(v.Number) || v.Number == "" && address.MatchString(v.User)
	if !known || v.Method != http.MethodPost || v.Timeout < 1 || v.CallerID != "" && !bareNumber.MatchString(v.CallerID) {
		return d, "", fmt.Errorf("mediastreamtest: XML: %s", text)
	}
	for pair := range strings.SplitSeq(v.Headers, ",") {
		name, value, _ := strings.Cut(pair, "=")
		if pair == "" {
			continue
		}
		plain, err := url.PathUnescape(value)
		if err != nil || !plivoName.MatchString(name) || !plivoValue.MatchString(value) {
			return d, "", fmt.Errorf("mediastreamtest: XML: SIP header %q", pair)
		}
		if d.Headers == nil {
			d.Headers = make(url.Values)
		}
		d.Headers.Set("X-PH-"+name, plain)
	}
	return d, v.Action, nil
}
