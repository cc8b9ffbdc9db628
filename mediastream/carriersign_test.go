package mediastream_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

// signed is a webhook as a carrier may send it.
type signed struct {
	method, path, contentType, body string
	header                          map[string]string
}

func mac256(secret, text string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func telnyxSigned(at time.Time, signed string) map[string]string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	signature := ed25519.Sign(ed25519.NewKeyFromSeed(seed), []byte(stamp+"|"+signed))
	return map[string]string{"telnyx-timestamp": stamp, "telnyx-signature-ed25519": base64.StdEncoding.EncodeToString(signature)}
}

func plivoSigned(base string) map[string]string {
	return map[string]string{
		"X-Plivo-Signature-V3-Nonce": "123",
		"X-Plivo-Signature-V3":       "bm9uZQ==, " + base64.StdEncoding.EncodeToString(mac256(token, base+".123")),
	}
}

func vonageSigned(header, claims, secret string) map[string]string {
	part := base64.RawURLEncoding.EncodeToString
	text := part([]byte(header)) + "." + part([]byte(claims))
	return map[string]string{"Authorization": "Bearer " + text + "." + part(mac256(secret, text))}
}

func jambonzSigned(at time.Time, text string) map[string]string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return map[string]string{"Jambonz-Signature": "t=" + stamp + ",v1=00,v1=" + hex.EncodeToString(mac256(token, stamp+"."+text))}
}

func TestSignaturesOfCarriers(t *testing.T) {
	const (
		form     = "application/x-www-form-urlencoded"
		telnyx   = "CallSid=v3%3A1&From=%2B14155550100&To=%2B14155550123"
		plivo    = "To=14155550123&CallUUID=u1&From=14155550100"
		plivoURL = public + "/plivo/voice"
		vonage   = `{"uuid":"u1","from":"14155550100","to":"14155550123"}`
		jambonz  = `{"call_sid":"u1","from":"+14155550100","to":"+14155550123"}`
		hs256    = `{"alg":"HS256","typ":"JWT"}`
	)
	hash := sha256.Sum256([]byte(vonage))
	claims := func(at time.Time) string {
		return `{"iat":` + strconv.FormatInt(at.Unix(), 10) + `,"payload_hash":"` + hex.EncodeToString(hash[:]) + `"}`
	}
	for name, tt := range map[string]struct {
		carrier mediastream.Carrier
		request func(now time.Time) signed
		valid   bool
	}{
		"telnyx": {mediastream.Telnyx, func(now time.Time) signed {
			return signed{"POST", "/telnyx/voice", form, telnyx, telnyxSigned(now, telnyx)}
		}, true},
		"telnyx, 4 minutes late": {mediastream.Telnyx, func(now time.Time) signed {
			return signed{"POST", "/telnyx/voice", form, telnyx, telnyxSigned(now.Add(-4*time.Minute), telnyx)}
		}, true},
		"telnyx, replayed later": {mediastream.Telnyx, func(now time.Time) signed {
			return signed{"POST", "/telnyx/voice", form, telnyx, telnyxSigned(now.Add(-6*time.Minute), telnyx)}
		}, false},
		"telnyx, from the future": {mediastream.Telnyx, func(now time.Time) signed {
			return signed{"POST", "/telnyx/voice", form, telnyx, telnyxSigned(now.Add(6*time.Minute), telnyx)}
		}, false},
		"telnyx, another body": {mediastream.Telnyx, func(now time.Time) signed {
			return signed{"POST", "/telnyx/voice", form, telnyx + "&x=1", telnyxSigned(now, telnyx)}
		}, false},
		"telnyx, another time": {mediastream.Telnyx, func(now time.Time) signed {
			header := telnyxSigned(now, telnyx)
			header["telnyx-timestamp"] += "0"
			return signed{"POST", "/telnyx/voice", form, telnyx, header}
		}, false},
		"plivo, the question mark of no query": {mediastream.Plivo, func(time.Time) signed {
			return signed{"POST", "/plivo/voice", form, plivo, plivoSigned(plivoURL + "?CallUUIDu1From14155550100To14155550123")}
		}, true},
		"plivo, without it": {mediastream.Plivo, func(time.Time) signed {
			return signed{"POST", "/plivo/voice", form, plivo, plivoSigned(plivoURL + "CallUUIDu1From14155550100To14155550123")}
		}, true},
		"plivo, a query": {mediastream.Plivo, func(time.Time) signed {
			return signed{"POST", "/plivo/voice?b=2&a=1", form, plivo, plivoSigned(plivoURL + "?a=1&b=2.CallUUIDu1From14155550100To14155550123")}
		}, true},
		"plivo, GET": {mediastream.Plivo, func(time.Time) signed {
			return signed{"GET", "/plivo/voice?To=2&CallUUID=u1&From=1", "", "", plivoSigned(plivoURL + "?CallUUID=u1&From=1&To=2")}
		}, true},
		"plivo, another parameter": {mediastream.Plivo, func(time.Time) signed {
			return signed{"POST", "/plivo/voice", form, plivo + "&x=1", plivoSigned(plivoURL + "?CallUUIDu1From14155550100To14155550123")}
		}, false},
		"plivo, no nonce": {mediastream.Plivo, func(time.Time) signed {
			header := plivoSigned(plivoURL + "?CallUUIDu1From14155550100To14155550123")
			delete(header, "X-Plivo-Signature-V3-Nonce")
			return signed{"POST", "/plivo/voice", form, plivo, header}
		}, false},
		"vonage": {mediastream.Vonage, func(now time.Time) signed {
			return signed{"POST", "/vonage/voice", "application/json", vonage, vonageSigned(hs256, claims(now), token)}
		}, true},
		"vonage, GET": {mediastream.Vonage, func(now time.Time) signed {
			return signed{"GET", "/vonage/voice?uuid=u1&from=1&to=2", "", "", vonageSigned(hs256, claims(now), token)}
		}, true},
		"vonage, another body": {mediastream.Vonage, func(now time.Time) signed {
			return signed{"POST", "/vonage/voice", "application/json", vonage + " ", vonageSigned(hs256, claims(now), token)}
		}, false},
		"vonage, no hash of the body": {mediastream.Vonage, func(now time.Time) signed {
			return signed{"POST", "/vonage/voice", "application/json", vonage, vonageSigned(hs256, `{"iat":`+strconv.FormatInt(now.Unix(), 10)+`}`, token)}
		}, false},
		"vonage, replayed": {mediastream.Vonage, func(now time.Time) signed {
			return signed{"POST", "/vonage/voice", "application/json", vonage, vonageSigned(hs256, claims(now.Add(-time.Hour)), token)}
		}, false},
		"vonage, another secret": {mediastream.Vonage, func(now time.Time) signed {
			return signed{"POST", "/vonage/voice", "application/json", vonage, vonageSigned(hs256, claims(now), "guess")}
		}, false},
		"vonage, no secret": {mediastream.Vonage, func(now time.Time) signed {
			return signed{"POST", "/vonage/voice", "application/json", vonage, vonageSigned(hs256, claims(now), "")}
		}, false},
		"vonage, no algorithm": {mediastream.Vonage, func(now time.Time) signed {
			return signed{"POST", "/vonage/voice", "application/json", vonage, vonageSigned(`{"alg":"none"}`, claims(now), token)}
		}, false},
		"jambonz": {mediastream.Jambonz, func(now time.Time) signed {
			return signed{"POST", "/jambonz/voice", "application/json", jambonz, jambonzSigned(now, jambonz)}
		}, true},
		"jambonz, replayed": {mediastream.Jambonz, func(now time.Time) signed {
			return signed{"POST", "/jambonz/voice", "application/json", jambonz, jambonzSigned(now.Add(-time.Hour), jambonz)}
		}, false},
		"jambonz, another body": {mediastream.Jambonz, func(now time.Time) signed {
			return signed{"POST", "/jambonz/voice", "application/json", jambonz + " ", jambonzSigned(now, jambonz)}
		}, false},
		"jambonz, nothing signed": {mediastream.Jambonz, func(now time.Time) signed {
			return signed{"POST", "/jambonz/voice", "application/json", jambonz, map[string]string{"Jambonz-Signature": "t=" + strconv.FormatInt(now.Unix(), 10)}}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := serveCarrier(t, tt.carrier, mediastream.Config{
					Handler: func(ctx context.Context, s *mediastream.Stream) { _ = s.Hangup(ctx, media.Busy) },
				})
				q := tt.request(time.Now())
				r, err := http.NewRequestWithContext(t.Context(), q.method, "http://gateway.test"+q.path, strings.NewReader(q.body))
				if err != nil {
					t.Fatal(err)
				}
				if q.contentType != "" {
					r.Header.Set("Content-Type", q.contentType)
				}
				for name, value := range q.header {
					r.Header.Set(name, value)
				}
				want := http.StatusForbidden
				if tt.valid {
					want = http.StatusOK
				}
				if status, body := g.do(t, r); status != want {
					t.Errorf("%d %s, want %d", status, body, want)
				}
			})
		})
	}
}

func TestWebhooksThatAreNoCallAreRefused(t *testing.T) {
	for name, q := range map[string]struct {
		carrier mediastream.Carrier
		body    string
	}{
		"not JSON":           {mediastream.Jambonz, `{"call_sid":`},
		"a list":             {mediastream.Vonage, `[]`},
		"no call":            {mediastream.Vonage, `{"from":"1"}`},
		"a number of a call": {mediastream.Jambonz, `{"call_sid":{}}`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := serveCarrier(t, q.carrier, mediastream.Config{Handler: func(context.Context, *mediastream.Stream) { t.Error("served") }})
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://gateway.test/"+string(q.carrier)+"/voice", strings.NewReader(q.body))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/json")
				hash := sha256.Sum256([]byte(q.body))
				for _, header := range []map[string]string{
					jambonzSigned(time.Now(), q.body),
					vonageSigned(`{"alg":"HS256"}`, `{"iat":`+strconv.FormatInt(time.Now().Unix(), 10)+`,"payload_hash":"`+hex.EncodeToString(hash[:])+`"}`, token),
				} {
					for name, value := range header {
						r.Header.Set(name, value)
					}
				}
				if status, body := g.do(t, r); status != http.StatusBadRequest {
					t.Errorf("%d %s", status, body)
				}
			})
		})
	}
}

func TestACallerWhoGivesUpIsToldOfByEveryCarrier(t *testing.T) {
	for carrier, q := range map[mediastream.Carrier]struct{ voice, status, contentType string }{
		mediastream.Vonage:  {`{"uuid":"u1","from":"1","to":"2"}`, `{"uuid":"u1","status":"cancelled"}`, "application/json"},
		mediastream.Jambonz: {`{"call_sid":"u1","from":"1","to":"2"}`, `{"call_sid":"u1","call_status":"no-answer"}`, "application/json"},
		mediastream.Plivo:   {`CallUUID=u1&From=1&To=2`, `CallUUID=u1&CallStatus=cancel`, "application/x-www-form-urlencoded"},
		mediastream.Telnyx:  {`CallSid=u1&From=1&To=2`, `CallSid=u1&CallStatus=canceled`, "application/x-www-form-urlencoded"},
	} {
		t.Run(string(carrier), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended, statuses := make(chan error, 1), make(chan mediastream.StatusEvent, 1)
				g := serveCarrier(t, carrier, mediastream.Config{
					Handler: func(ctx context.Context, s *mediastream.Stream) { ended <- s.Run(ctx, &ear{}, newMouth()) },
					Status:  func(e mediastream.StatusEvent) { statuses <- e },
				})
				post := func(path, body string) int {
					r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://gateway.test/"+string(carrier)+path, strings.NewReader(body))
					if err != nil {
						t.Fatal(err)
					}
					r.Header.Set("Content-Type", q.contentType)
					hash := sha256.Sum256([]byte(body))
					base := public + "/plivo" + path + "?" + strings.NewReplacer("=", "", "&", "").Replace(sortedForm(body))
					for _, header := range []map[string]string{
						telnyxSigned(time.Now(), body), jambonzSigned(time.Now(), body), plivoSigned(base),
						vonageSigned(`{"alg":"HS256"}`, `{"iat":`+strconv.FormatInt(time.Now().Unix(), 10)+`,"payload_hash":"`+hex.EncodeToString(hash[:])+`"}`, token),
					} {
						for name, value := range header {
							r.Header.Set(name, value)
						}
					}
					status, _ := g.do(t, r)
					return status
				}
				answered := make(chan int, 1)
				go func() { answered <- post("/voice", q.voice) }()
				time.Sleep(time.Second)
				if status := post("/status", q.status); status != http.StatusNoContent {
					t.Errorf("status callback: %d", status)
				}
				if err := <-ended; media.CauseOf(err) != media.CallerCancelled {
					t.Errorf("ended with %v", err)
				}
				if e := <-statuses; e.CallSID != "u1" {
					t.Errorf("told of %+v", e)
				}
				<-answered
			})
		})
	}
}

// sortedForm returns a form with its parameters in order.
func sortedForm(form string) string {
	parts := strings.Split(form, "&")
	slices.Sort(parts)
	return strings.Join(parts, "&")
}
