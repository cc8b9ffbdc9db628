package mediastreamtest

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// PlivoAPI is Plivo's call API, as transport of the client that asks it. Calls
// belong to it whose Config names it.
type PlivoAPI struct {
	// ID and Token are the only ones that are let in.
	ID, Token string
	// Transfer says what becomes of a transfer: the DialStatus, and when that is
	// known. Default: completed, at once.
	Transfer func(Dialled) (status string, after time.Duration)

	running sync.WaitGroup // of calls that were transferred

	mu         sync.Mutex
	calls      map[string]*Call // by id, with the latest stream
	requests   []string
	violations []string
}

// Wait returns when nothing is left of calls that were transferred.
func (a *PlivoAPI) Wait() { a.running.Wait() }

// Requests returns what was asked for and done: hangup or transfer.
func (a *PlivoAPI) Requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

// Violations returns the gateway's breaches of the XML after a transfer.
func (a *PlivoAPI) Violations() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.violations)
}

// adopt enters a call's stream.
func (a *PlivoAPI) adopt(c *Call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls == nil {
		a.calls = make(map[string]*Call)
	}
	a.calls[c.cfg.CallSID] = c
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
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.calls[call]
	if !ok || !slash || c == nil {
		return http.StatusNotFound, `{"error":"not found"}`
	}
	switch r.Method {
	case http.MethodDelete:
		delete(a.calls, call)
		a.requests = append(a.requests, "hangup")
		_ = c.tell(context.Background(), control{kind: hangUp, cause: media.OperatorHungUp}, false) // it may be over
		return http.StatusNoContent, ""
	case http.MethodPost:
		here, err := readPlivoTransfer(c, body)
		if err != nil {
			return http.StatusBadRequest, `{"error":` + strconv.Quote(err.Error()) + `}`
		}
		a.requests = append(a.requests, "transfer")
		a.running.Go(func() { a.transfer(c, here) })
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

// at returns the configuration of requests to another URL of the gateway, as
// the gateway knows it.
func (cfg Config) at(target string) (Config, error) {
	path, ok := strings.CutPrefix(target, strings.TrimSuffix(cfg.PublicURL, "/"))
	gateway, err := url.Parse(cfg.WebhookURL)
	if err != nil || !ok {
		return cfg, fmt.Errorf("mediastreamtest: %q is not below %q: %w", target, cfg.PublicURL, err)
	}
	cfg.WebhookURL = gateway.Scheme + "://" + gateway.Host + path
	return cfg, nil
}

// transfer ends a call's stream and lets the call go on with the XML that is at
// here.
func (a *PlivoAPI) transfer(c *Call, here Config) {
	_ = c.tell(context.Background(), control{kind: hangUp, cause: errMoved}, true) // it may be over
	if err := a.goOn(here); err != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.violations = append(a.violations, err.Error())
	}
}

func (a *PlivoAPI) goOn(here Config) error {
	ctx := context.Background() // requests have their own bounds
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
	status, after := "completed", time.Duration(0)
	if a.Transfer != nil {
		status, after = a.Transfer(d)
	}
	if after > d.Timeout && status != "completed" {
		status, after = "timeout", d.Timeout
	}
	time.Sleep(after)
	if text, err = a.ask(ctx, &here, url.Values{"CallStatus": {"in-progress"}, "DialStatus": {status}, "DialHangupCause": {"x"}}); err != nil {
		return err
	}
	to, err := readPlivoXML(text)
	if err != nil {
		return nil // the gateway ends the call
	}
	c := newCall(here, rand.New(rand.NewPCG(here.Seed, 3)))
	if err := c.connect(ctx, to); err != nil {
		return err
	}
	a.adopt(c)
	_ = c.Run(ctx, deaf{}, mute{}) // the gateway's side tells how it ends
	return nil
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
	plivoNumber = regexp.MustCompile(`^[1-9][0-9]{1,14}$`)
	plivoName   = regexp.MustCompile(`^[A-Za-z0-9]+$`)
	plivoValue  = regexp.MustCompile(`^[A-Za-z0-9%]*$`)
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
	known := v.User == "" && plivoNumber.MatchString(v.Number) || v.Number == "" && address.MatchString(v.User)
	if !known || v.Method != http.MethodPost || v.Timeout < 1 || v.CallerID != "" && !plivoNumber.MatchString(v.CallerID) {
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
