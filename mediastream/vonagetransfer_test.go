package mediastream_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// vonageKey is the private key of the Vonage application that the tests know.
var vonageKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// vonageAPI returns the Voice API of that application.
func vonageAPI(t *testing.T) *mediastreamtest.VonageAPI {
	t.Helper()
	key, err := vonageKey()
	if err != nil {
		t.Fatal(err)
	}
	api := &mediastreamtest.VonageAPI{Application: "app-1", Key: &key.PublicKey}
	t.Cleanup(func() { noBreach(t, api) })
	return api
}

// newVonageAPI returns its client.
func newVonageAPI(t *testing.T, transport http.RoundTripper) *mediastream.CarrierAPI {
	t.Helper()
	key, err := vonageKey()
	if err != nil {
		t.Fatal(err)
	}
	api, err := mediastream.NewVonageAPI(mediastream.CarrierAPIConfig{
		Account: "app-1", Transport: transport,
		Secret: string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func TestAPrivateKeyThatIsNoneIsNotShown(t *testing.T) {
	for secret, account := range map[string]string{"hunter2": "app-1", "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----": "app-1"} {
		_, err := mediastream.NewVonageAPI(mediastream.CarrierAPIConfig{Account: account, Secret: secret})
		if err == nil || !strings.Contains(err.Error(), "private key") || strings.Contains(err.Error(), "hunter2") {
			t.Error(err)
		}
	}
}

func TestEventsOfAForgedURLBringNothingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := serveCarrier(t, mediastream.Vonage, mediastream.Config{Handler: func(context.Context, *mediastream.Stream) { t.Error("served") }})
		const body = `{"uuid":"u2","status":"busy","from":"14155550123","to":"14155550199"}`
		hash := sha256.Sum256([]byte(body))
		for _, query := range []string{"for=u1", "for=u1&seal=", "for=u1&caller=1&called=2&target=3&seal=AAAA"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://gateway.test/vonage/after?"+query, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			claims := fmt.Sprintf(`{"iat":%d,"payload_hash":"%x"}`, time.Now().Unix(), hash)
			for name, value := range vonageSigned(`{"alg":"HS256","typ":"JWT"}`, claims, token) {
				r.Header.Set(name, value)
			}
			if status, text := g.do(t, r); status != http.StatusForbidden {
				t.Errorf("%s: %d %s", query, status, text)
			}
		}
	})
}
