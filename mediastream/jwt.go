package mediastream

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// claims are what a token of Vonage's says (RFC 7519 §4), or one for it.
type claims struct {
	jwt.RegisteredClaims
	PayloadHash string `json:"payload_hash,omitempty"`
	Application string `json:"application_id,omitempty"`
}

// signedByVonage checks a JSON Web Token in the Authorization header, signed with
// HMAC-SHA256. Its payload_hash is the body's SHA-256.
func signedByVonage(secrets []string, r *http.Request, _ string, _ url.Values, body []byte) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return false
	}
	var keys jwt.VerificationKeySet
	for _, secret := range secrets {
		if secret != "" { // would accept anybody's signature
			keys.Keys = append(keys.Keys, []byte(secret))
		}
	}
	var c claims
	_, err := jwt.ParseWithClaims(
		token, &c, func(*jwt.Token) (any, error) { return keys, nil },
		// RFC 8725 §3.1: the algorithm is ours to choose, not the token's.
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithLeeway(signatureSkew),
	)
	if err != nil || c.IssuedAt == nil || !recent(c.IssuedAt.Time) {
		return false
	}
	if len(body) == 0 {
		return true
	}
	want := sha256.Sum256(body)
	got, err := hex.DecodeString(c.PayloadHash)
	return err == nil && hmac.Equal(got, want[:])
}

// grantLife is how long a token of ours is good: a request is sent at once.
const grantLife = time.Minute

// grant returns a token that authorises one request of an application (RS256).
func grant(application string, key *rsa.PrivateKey) (string, error) {
	now := time.Now()
	text, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			ID: rand.Text(), IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(grantLife)),
		},
		Application: application,
	}).SignedString(key)
	if err != nil {
		return "", fmt.Errorf("mediastream: token: %w", err)
	}
	return text, nil
}
