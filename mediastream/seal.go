package mediastream

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
)

// sealParameter carries the seal of a URL's other parameters, where a carrier
// signs its requests' bodies only: with one of them, anybody could ask for
// whatever call the URL names.
const sealParameter = "seal"

// seal returns the seal of parameters, keyed with what the carrier signs with.
func seal(secret string, q url.Values) string {
	mac := hmac.New(sha256.New, []byte("callgw url "+secret))
	mac.Write([]byte(q.Encode()))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// sealed returns parameters with their seal.
func (c *Config) sealed(q url.Values) url.Values {
	for _, secret := range c.AuthTokens {
		if secret != "" {
			q.Set(sealParameter, seal(secret, q))
			break
		}
	}
	return q
}

// genuine tells whether the parameters of a request's URL are ours.
func (c *Config) genuine(q url.Values) bool {
	given := q.Get(sealParameter)
	q.Del(sealParameter)
	for _, secret := range c.AuthTokens {
		if secret != "" && hmac.Equal([]byte(seal(secret, q)), []byte(given)) {
			return true
		}
	}
	return !c.Validate
}
