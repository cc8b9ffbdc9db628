package mediastreamtest_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// TestTheAPIIsStrict asks wrongly.
func TestTheAPIIsStrict(t *testing.T) {
	const (
		calls = "/2010-04-01/Accounts/AC00000000000000000000000000000000/Calls"
		form  = "application/x-www-form-urlencoded"
		dial  = `<Response><Dial action="https://gw.example/after"><Number>+14155550199</Number></Dial></Response>`
	)
	place := url.Values{"To": {"+14155550177"}, "From": {"+14155550123"}, "Twiml": {dial}}
	with := func(name, value string) string {
		changed := url.Values{name: {value}}
		for n, v := range place {
			if n != name {
				changed[n] = v
			}
		}
		return changed.Encode()
	}
	for name, tt := range map[string]struct {
		method, path, kind, body, secret string
		want                             int
		fault                            bool // it is the gateway's
	}{
		"another secret":          {"GET", calls + "/CA1.json", "", "", "guess", 401, false},
		"another account":         {"GET", "/2010-04-01/Accounts/AC1/Calls/CA1.json", "", "", "secret", 404, false},
		"another resource":        {"GET", calls + "/CA1/Streams.json", "", "", "secret", 404, false},
		"a call that is not":      {"GET", calls + "/CA1.json", "", "", "secret", 404, false},
		"a hang-up of none":       {"POST", calls + "/CA1.json", form, "Status=completed", "secret", 404, false},
		"a redirection of none":   {"POST", calls + "/CA1.json", form, url.Values{"Twiml": {dial}}.Encode(), "secret", 400, false},
		"not a form":              {"POST", calls + "/CA1.json", "application/json", "{}", "secret", 400, true},
		"an unknown field":        {"POST", calls + "/CA1.json", form, "Status=completed&Hurry=yes", "secret", 400, true},
		"both status and TwiML":   {"POST", calls + "/CA1.json", form, "Status=completed&Twiml=x", "secret", 400, true},
		"a call to nobody":        {"POST", calls + ".json", form, with("To", "nobody"), "secret", 400, false},
		"a call from nobody":      {"POST", calls + ".json", form, with("From", "nobody"), "secret", 400, true},
		"a call with a field":     {"POST", calls + ".json", form, with("Hurry", "yes"), "secret", 400, true},
		"a ringing for ever":      {"POST", calls + ".json", form, with("Timeout", "601"), "secret", 400, true},
		"an unknown event":        {"POST", calls + ".json", form, with("StatusCallbackEvent", "busy"), "secret", 400, true},
		"TwiML that is none":      {"POST", calls + ".json", form, with("Twiml", "hello"), "secret", 400, true},
		"a silent line":           {"POST", calls + ".json", form, with("Twiml", `<Response><Pause length="40"/></Response>`), "secret", 400, true},
		"a rejection":             {"POST", calls + ".json", form, with("Twiml", `<Response><Reject/></Response>`), "secret", 400, true},
		"an unknown verb":         {"POST", calls + ".json", form, with("Twiml", `<Response><Dance/></Response>`), "secret", 400, true},
		"an unknown attribute":    {"POST", calls + ".json", form, with("Twiml", strings.Replace(dial, "action", "acton", 1)), "secret", 400, true},
		"a dial of no number":     {"POST", calls + ".json", form, with("Twiml", strings.Replace(dial, "+1", "1", 1)), "secret", 400, true},
		"a dial of a SIP header":  {"POST", calls + ".json", form, with("Twiml", `<Response><Dial><Sip>sip:a@b?Subject=x</Sip></Dial></Response>`), "secret", 400, true},
		"a stream with a query":   {"POST", calls + ".json", form, with("Twiml", `<Response><Connect><Stream url="wss://a/b?c=d"/></Connect></Response>`), "secret", 400, true},
		"a TwiML of 4001 letters": {"POST", calls + ".json", form, with("Twiml", dial+strings.Repeat(" ", 4001-len(dial))), "secret", 400, true},
	} {
		t.Run(name, func(t *testing.T) {
			api := mediastreamtest.NewAPI(mediastreamtest.APIConfig{Key: "SK1", Secret: "secret"})
			defer api.Close()
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.kind)
			r.SetBasicAuth("SK1", tt.secret)
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			if w.Code != tt.want || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if v := api.Violations(); (len(v) > 0) != tt.fault {
				t.Errorf("violations %q", v)
			}
			if live := api.Live(); len(live) != 0 {
				t.Errorf("calls %v", live)
			}
			if got := api.Requests(); len(got) != 1 || got[0].Status != tt.want || got[0].Method != tt.method {
				t.Errorf("requests %v", got)
			}
		})
	}
}
