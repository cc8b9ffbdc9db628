package mediastream_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"sync"
	"testing"

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
