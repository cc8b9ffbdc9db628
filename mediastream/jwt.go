package mediastream

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// signedByVonage checks a JSON Web Token (RFC 7519) in the Authorization header,
// signed with HMAC-SHA256. Its payload_hash is the body's SHA-256.
func signedByVonage(secrets []string, r *http.Request, _ string, _ url.Values, body []byte) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return false
	}
	claims, ok := verifyJWT(secrets, token)
	if !ok || !timely(strconv.FormatInt(claims.IssuedAt, 10)) {
		return false
	}
	if len(body) == 0 {
		return true
	}
	want := sha256.Sum256(body)
	got, err := hex.DecodeString(claims.PayloadHash)
	return err == nil && hmac.Equal(got, want[:])
}

// claims are what a token says.
type claims struct {
	IssuedAt    int64  `json:"iat"`
	PayloadHash string `json:"payload_hash"`
}

// verifyJWT returns the claims of a token that was signed with one of secrets.
func verifyJWT(secrets []string, token string) (claims, bool) {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, false
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	// RFC 8725 §3.1: the algorithm is ours to choose, not the token's.
	if !decodePart(parts[0], &header) || header.Algorithm != "HS256" {
		return c, false
	}
	got, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return c, false
	}
	for _, secret := range secrets {
		if secret == "" { // would accept anybody's signature
			continue
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(parts[0] + "." + parts[1]))
		if hmac.Equal(mac.Sum(nil), got) {
			return c, decodePart(parts[1], &c)
		}
	}
	return c, false
}

func decodePart(part string, into any) bool {
	text, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(text, into) == nil
}
