package httptool_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/internal/httptool"
)

// The value was computed with openssl dgst -sha256 -hmac over
// `1700000000.{"a":1}`.
const signed = "t=1700000000,v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03"

func TestSignIsWhatIsDocumented(t *testing.T) {
	if got := httptool.Sign("key", []byte(`{"a":1}`), time.Unix(1700000000, 0)); got != signed {
		t.Errorf("signature %s, want %s", got, signed)
	}
}

func TestVerify(t *testing.T) {
	now := time.Unix(1700000000, 0)
	mac := strings.TrimPrefix(signed, "t=1700000000,")
	for name, c := range map[string]struct {
		secret, header, payload string
		now                     time.Time
		tolerance               time.Duration
		want                    string // in the error; empty: none
	}{
		"right":                   {"key", signed, `{"a":1}`, now, 0, ""},
		"late, but not too late":  {"key", signed, `{"a":1}`, now.Add(5 * time.Minute), 0, ""},
		"too late":                {"key", signed, `{"a":1}`, now.Add(5*time.Minute + time.Second), 0, "5m1s off"},
		"too early":               {"key", signed, `{"a":1}`, now.Add(-time.Hour), 0, "-1h0m0s off"},
		"one's own tolerance":     {"key", signed, `{"a":1}`, now.Add(11 * time.Second), 10 * time.Second, "11s off"},
		"another secret":          {"kez", signed, `{"a":1}`, now, 0, "does not match"},
		"another payload":         {"key", signed, `{"a":2}`, now, 0, "does not match"},
		"another time":            {"key", "t=1700000001," + mac, `{"a":1}`, now, 0, "does not match"},
		"two times":               {"key", "t=1700000000," + signed, `{"a":1}`, now, 0, "malformed time"},
		"a second alternative":    {"key", "t=1700000000,v1=00ff, " + mac, `{"a":1}`, now, 0, ""},
		"what the future may add": {"key", signed + ",v2=x,kid=1", `{"a":1}`, now, 0, ""},
		"no time":                 {"key", mac, `{"a":1}`, now, 0, "missing or malformed"},
		"no signature":            {"key", "t=1700000000", `{"a":1}`, now, 0, "missing or malformed"},
		"nothing":                 {"key", "", `{"a":1}`, now, 0, "missing or malformed"},
		"no hexadecimal":          {"key", "t=1700000000,v1=zz", `{"a":1}`, now, 0, "missing or malformed"},
		"an empty one":            {"key", "t=1700000000,v1=", `{"a":1}`, now, 0, "does not match"},
		"no number":               {"key", "t=x," + mac, `{"a":1}`, now, 0, "malformed time"},
		"no secret to check with": {"", signed, `{"a":1}`, now, 0, "no secret"},
	} {
		t.Run(name, func(t *testing.T) {
			err := httptool.Verify(c.secret, c.header, []byte(c.payload), c.now, c.tolerance)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (!errors.Is(err, httptool.ErrSignature) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want it to say %q", err, c.want)
			}
		})
	}
}

func TestSignedRequests(t *testing.T) {
	for _, method := range []string{"GET", "DELETE", "POST", "PUT", "PATCH"} {
		base, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if err := httptool.VerifyRequest(secret, r); err != nil {
				t.Errorf("%s: %v", method, err)
			}
			if err := httptool.VerifyRequest("another", r); !errors.Is(err, httptool.ErrSignature) {
				t.Errorf("%s with another secret: %v", method, err)
			}
			_, _ = io.Copy(w, r.Body) // which is still there
		})
		out, err := tool(t, httptool.Config{Method: method, URL: base + "/{city}", Client: client, Secret: secret}).Call(t.Context(), weather)
		if err != nil || strings.Contains(out, "get_weather") != (method[0] == 'P') {
			t.Errorf("%s: output %s, %v", method, out, err)
		}
	}
}

func TestUnsignedWithoutASecret(t *testing.T) {
	_, err := offline(t, httptool.Config{}, func(r *http.Request) (*http.Response, error) {
		if got, ok := r.Header[httptool.SignatureHeader]; ok {
			t.Errorf("signature %q", got)
		}
		return answer(200, ""), nil
	}).Call(t.Context(), weather)
	if err != nil {
		t.Error(err)
	}
}

func TestVerifyRequestBoundsTheBody(t *testing.T) {
	r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 2<<20)))
	if err := httptool.VerifyRequest(secret, r); !errors.Is(err, httptool.ErrSignature) || !strings.Contains(err.Error(), "1048576") {
		t.Errorf("%v", err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(signed)
	f.Add("t=,v1=")
	f.Add(",,t=-1,v1=00")
	f.Fuzz(func(t *testing.T, header string) {
		if err := httptool.Verify("a secret nobody has", header, []byte("x"), time.Unix(1700000000, 0), 0); !errors.Is(err, httptool.ErrSignature) {
			t.Errorf("%q: %v", header, err)
		}
	})
}
