package config

import "github.com/golang-jwt/jwt/v5"

// check reports what is wrong with the control of calls.
func (v *Vonage) check(k *checker) {
	const key = "media_streams.vonage"
	if v == nil {
		return
	}
	checkOrigin(k, key+".rest_url", v.RESTURL, "https://api-eu-3.vonage.com")
	if !v.Controls() {
		if v.ApplicationID != "" || v.PrivateKey != "" {
			k.fail(key, "application_id and private_key belong together", "set both, or none")
		}
		return
	}
	if _, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(v.PrivateKey)); err != nil {
		k.fail(key+".private_key", "not an RSA key in PEM", "write \"${file:private.key}\", with the file that Vonage's dashboard gave you")
	}
}

// checkOrigin reports an API's URL that is none.
func checkOrigin(k *checker, key string, u URL, example string) {
	if s := u.scheme(); s != "" && s != "https" && s != "http" {
		k.fail(key, k.quote(key, string(u))+" is neither https nor http", "leave it out, or write one such as "+example)
	}
}
