package mediastreamtest_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// ask sends a request to an API and returns the answer's status.
func ask(t *testing.T, api http.RoundTripper, method, path, authorization, contentType, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://api.example.com"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	r.Header.Set("Content-Type", contentType)
	response, err := api.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

var calls = mediastreamtest.Config{CallSID: "u1", AccountSID: "acc-1", PublicURL: "https://gw.example", WebhookURL: "http://127.0.0.1:1/x/voice"}

func TestVonagesAPIIsStrict(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	bearer := func(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
		text, err := jwt.NewWithClaims(method, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	good := jwt.MapClaims{"application_id": "app-1", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": "1"}
	without := func(name string, value any) jwt.MapClaims {
		c := jwt.MapClaims{}
		for k, v := range good {
			c[k] = v
		}
		if c[name] = value; value == nil {
			delete(c, name)
		}
		return c
	}
	right := bearer(jwt.SigningMethodRS256, key, good)
	const hangup = `{"action":"hangup"}`
	transfer := func(connect string) string {
		return `{"action":"transfer","destination":{"type":"ncco","ncco":[` + connect + `]}}`
	}
	for name, tt := range map[string]struct {
		authorization, path, body string
		want                      int
	}{
		"hang-up":                 {right, "/v1/calls/u1", hangup, 204},
		"another call":            {right, "/v1/calls/u2", hangup, 404},
		"another key":             {bearer(jwt.SigningMethodRS256, other, good), "/v1/calls/u1", hangup, 401},
		"a shared secret":         {bearer(jwt.SigningMethodHS256, []byte("x"), good), "/v1/calls/u1", hangup, 401},
		"another application":     {bearer(jwt.SigningMethodRS256, key, without("application_id", "app-2")), "/v1/calls/u1", hangup, 401},
		"without an end":          {bearer(jwt.SigningMethodRS256, key, without("exp", nil)), "/v1/calls/u1", hangup, 401},
		"over":                    {bearer(jwt.SigningMethodRS256, key, without("exp", now.Add(-time.Hour).Unix())), "/v1/calls/u1", hangup, 401},
		"without an id":           {bearer(jwt.SigningMethodRS256, key, without("jti", nil)), "/v1/calls/u1", hangup, 401},
		"nobody":                  {"", "/v1/calls/u1", hangup, 401},
		"an unknown action":       {right, "/v1/calls/u1", `{"action":"dance"}`, 400},
		"no NCCO":                 {right, "/v1/calls/u1", transfer(""), 400},
		"a number with a plus":    {right, "/v1/calls/u1", transfer(`{"action":"connect","timeout":5,"eventType":"synchronous","eventUrl":["https://gw.example/a"],"endpoint":[{"type":"phone","number":"+14155550199"}]}`), 400},
		"events that come late":   {right, "/v1/calls/u1", transfer(`{"action":"connect","timeout":5,"eventUrl":["https://gw.example/a"],"endpoint":[{"type":"phone","number":"14155550199"}]}`), 400},
		"events to somebody else": {right, "/v1/calls/u1", transfer(`{"action":"connect","timeout":5,"eventType":"synchronous","eventUrl":["https://else.example/a"],"endpoint":[{"type":"phone","number":"14155550199"}]}`), 400},
	} {
		api := &mediastreamtest.VonageAPI{Application: "app-1", Key: &key.PublicKey}
		mediastreamtest.Enter(api, calls)
		if got := ask(t, api, http.MethodPut, tt.path, tt.authorization, "application/json", tt.body); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
		if breach := len(api.Violations()) > 0; breach != (tt.want == 400) {
			t.Errorf("%s: violations %v", name, api.Violations())
		}
	}
}

func TestJambonzsAPIIsStrict(t *testing.T) {
	const path = "/v1/Accounts/acc-1/Calls/u1"
	for name, tt := range map[string]struct {
		authorization, path, body string
		want                      int
	}{
		"hang-up":            {"Bearer KEY1", path, `{"call_status":"completed"}`, 202},
		"another key":        {"Bearer KEY2", path, `{"call_status":"completed"}`, 401},
		"another account":    {"Bearer KEY1", "/v1/Accounts/acc-2/Calls/u1", `{"call_status":"completed"}`, 404},
		"another status":     {"Bearer KEY1", path, `{"call_status":"busy"}`, 400},
		"nothing":            {"Bearer KEY1", path, `{}`, 400},
		"both":               {"Bearer KEY1", path, `{"call_status":"completed","call_hook":{"url":"https://gw.example/d","method":"POST"}}`, 400},
		"a hook of somebody": {"Bearer KEY1", path, `{"call_hook":{"url":"https://else.example/d","method":"POST"}}`, 400},
		"unknown members":    {"Bearer KEY1", path, `{"dance":true}`, 400},
	} {
		api := &mediastreamtest.JambonzAPI{Account: "acc-1", Key: "KEY1"}
		mediastreamtest.Enter(api, calls)
		if got := ask(t, api, http.MethodPut, tt.path, tt.authorization, "application/json", tt.body); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

func TestTeXMLsAPIIsStrict(t *testing.T) {
	const path, form = "/v2/texml/Accounts/acc-1/Calls/u1", "application/x-www-form-urlencoded"
	dial := func(attributes string) string {
		return "Texml=" + strings.NewReplacer("<", "%3C", ">", "%3E", "+", "%2B", " ", "+").Replace(`<Response><Dial `+attributes+`><Number>+14155550199</Number></Dial></Response>`)
	}
	for name, tt := range map[string]struct {
		key, path, contentType, body string
		want                         int
	}{
		"hang-up":              {"KEY1", "/v2/calls/u1/actions/hangup", "application/json", "{}", 200},
		"another key":          {"KEY2", path, form, "", 401},
		"another call":         {"KEY1", "/v2/calls/u2/actions/hangup", "application/json", "{}", 422},
		"another account":      {"KEY1", "/v2/texml/Accounts/acc-2/Calls/u1", form, "", 404},
		"JSON":                 {"KEY1", path, "application/json", dial(`action="https://gw.example/a" timeout="20"`), 422},
		"nobody asks then":     {"KEY1", path, form, dial(`timeout="20"`), 422},
		"rings for too long":   {"KEY1", path, form, dial(`action="https://gw.example/a" timeout="130"`), 422},
		"another parameter":    {"KEY1", path, form, "Twiml=x", 422},
		"an unknown attribute": {"KEY1", path, form, dial(`action="https://gw.example/a" dance="x"`), 422},
	} {
		api := &mediastreamtest.TeXMLAPI{Key: "KEY1"}
		mediastreamtest.Enter(api, calls)
		if got := ask(t, api, http.MethodPost, tt.path, "Bearer "+tt.key, tt.contentType, tt.body); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

func TestAProgramIsStrict(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"event":"transfer","streamSid":"S1","transfer":{"id":"1","target":"+14155550199","timeout":30}}`:                       true,
		`{"event":"transfer","streamSid":"S1","transfer":{"id":"1","target":"sip:a@b","timeout":30,"headers":{"X-A":"b"}}}`:      true,
		`{"event":"transfer","streamSid":"S2","transfer":{"id":"1","target":"+14155550199","timeout":30}}`:                       false,
		`{"event":"transfer","streamSid":"S1","transfer":{"target":"+14155550199","timeout":30}}`:                                false,
		`{"event":"transfer","streamSid":"S1","transfer":{"id":"1","target":"two words","timeout":30}}`:                          false,
		`{"event":"transfer","streamSid":"S1","transfer":{"id":"1","target":"+14155550199"}}`:                                    false,
		`{"event":"transfer","streamSid":"S1","transfer":{"id":"1","target":"+14155550199","timeout":30,"headers":{"X-A":"b"}}}`: false,
		`{"event":"transfer","streamSid":"S1","transfer":{"id":"1","target":"+14155550199","timeout":30},"more":1}`:              false,
	} {
		if _, err := mediastreamtest.ReadTransfer(text, "S1"); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}
