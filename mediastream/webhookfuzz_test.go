package mediastream_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/callgw/callgw/mediastream"
)

// FuzzWebhooks shows unsigned requests of every kind to handlers that believe
// them: none may panic, or fail on our side.
func FuzzWebhooks(f *testing.F) {
	const form, json = "application/x-www-form-urlencoded", "application/json"
	for i, seed := range []struct{ path, contentType, body string }{
		{"after?target=%2B14155550199", form, "CallSid=CA1&DialCallStatus=busy"},
		{"after?target=%2B14155550199&for=u1&caller=%2B1&called=2", json, `{"uuid":"u2","status":"rejected","from":"1","to":"2"}`},
		{"after?target=x", json, `{"call_sid":"u1","call_status":"in-progress","dial_call_status":"ringing"}`},
		{"dial?target=sip%3Aa%40b%3FX-A%3Db", json, `{"call_sid":"u1","from":"+14155550100"}`},
		{"dial?target=%2B14155550199", form, "CallUUID=u1&From=1&To=2"},
		{"status", json, `{"data":{"event_type":"call.hangup","payload":{"call_control_id":"v3:1","client_state":"djM6MQ=="}}}`},
		{"status", json, `{"uuid":["u1"],"status":7}`},
		{"after", json, `[]`},
		{"after?for=", form, "%zz"},
	} {
		f.Add(uint8(i), seed.path, seed.contentType, seed.body)
	}
	muxes := make(map[mediastream.Carrier]*http.ServeMux)
	for _, carrier := range mediastream.Carriers() {
		handler, err := mediastream.NewHandler(mediastream.Config{
			Carrier: carrier, PublicURL: public, AnswerTimeout: 1, Handler: answer(nil, nil, nil, nil),
		})
		if err != nil {
			f.Fatal(err)
		}
		muxes[carrier] = http.NewServeMux()
		handler.Register(muxes[carrier])
	}
	carriers := mediastream.Carriers()
	f.Fuzz(func(t *testing.T, which uint8, path, contentType, body string) {
		carrier := carriers[int(which)%len(carriers)]
		target, err := url.Parse("/" + string(carrier) + "/" + path)
		if err != nil || strings.ContainsAny(contentType, "\r\n") || strings.HasSuffix(target.Path, "/media") {
			return
		}
		r := httptest.NewRequest(http.MethodPost, "http://gateway.test/", strings.NewReader(body))
		r.URL, r.RequestURI = target, target.RequestURI()
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		muxes[carrier].ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError && w.Code != http.StatusServiceUnavailable {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}

// FuzzTokensOfVonage shows tokens to a handler that knows a secret.
func FuzzTokensOfVonage(f *testing.F) {
	for _, seed := range []string{
		"", "a.b.c", "..", "eyJhbGciOiJIUzI1NiJ9.e30.", "eyJhbGciOiJub25lIn0.e30.",
		"eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOiJ4In0.AA", strings.Repeat("a.", 1000),
	} {
		f.Add(seed)
	}
	handler, err := mediastream.NewHandler(mediastream.Config{
		Carrier: mediastream.Vonage, PublicURL: public, Validate: true, AuthTokens: []string{"", token}, Handler: answer(nil, nil, nil, nil),
	})
	if err != nil {
		f.Fatal(err)
	}
	mux := http.NewServeMux()
	handler.Register(mux)
	f.Fuzz(func(t *testing.T, text string) {
		r := httptest.NewRequest(http.MethodPost, "http://gateway.test/vonage/status", strings.NewReader("{}"))
		r.Header["Authorization"] = []string{"Bearer " + text}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden {
			t.Fatalf("let in with %q: %d", text, w.Code)
		}
	})
}

// FuzzDialplanTargets looks for targets that a dialplan would read as more than one.
func FuzzDialplanTargets(f *testing.F) {
	for _, seed := range []string{"200", "+1 (415) 555-0199", "sip:a@b?X-A=b", "200&201", "200,1)", "${EXTEN}", "a\nb", "sip:a@b;x=y", "sip:a,b&c@d", "sip:$(x)@b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if to, err := mediastream.DialplanTarget(target); err == nil && (to == "" || strings.ContainsAny(to, "?|^\"'\\${}[]()<>/,&! \t\r\n")) {
			t.Fatalf("%q became %q", target, to)
		}
	})
}
