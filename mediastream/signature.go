package mediastream

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Sign returns Twilio's signature of a request: base64 of the HMAC-SHA1, keyed
// with an account's auth token, of the URL followed by each parameter's name
// and value. The upgrade of a media stream is signed over its wss URL without
// parameters.
func Sign(token, rawURL string, form url.Values) string {
	return base64.StdEncoding.EncodeToString(digest(token, rawURL, parameters(form)))
}

// ValidSignature tells whether signature is that of a request to rawURL with
// these parameters, made with one of tokens. Empty tokens match nothing.
func ValidSignature(tokens []string, rawURL string, form url.Values, signature string) bool {
	got, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || len(got) != sha1.Size {
		return false
	}
	tail := parameters(form)
	for _, candidate := range signedURLs(rawURL) {
		for _, token := range tokens {
			// An unset token would accept anybody's signature.
			if token != "" && hmac.Equal(digest(token, candidate, tail), got) {
				return true
			}
		}
	}
	return false
}

// ValidBodySignature is ValidSignature for a body that is not a form: the
// signature covers the URL alone, whose bodySHA256 parameter covers the body.
func ValidBodySignature(tokens []string, rawURL string, body []byte, signature string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	want, err := hex.DecodeString(u.Query().Get("bodySHA256"))
	if err != nil {
		return false
	}
	got := sha256.Sum256(body)
	return subtle.ConstantTimeCompare(got[:], want) == 1 && ValidSignature(tokens, rawURL, nil, signature)
}

func digest(token, rawURL, tail string) []byte {
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(rawURL))
	mac.Write([]byte(tail))
	return mac.Sum(nil)
}

// parameters joins names and values without delimiters, in byte order of the
// names alone, as "Reason" must precede "ReasonConferenceEnded" whatever their
// values; of a repeated name, each distinct value counts once, in order.
func parameters(form url.Values) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(form[name]))) {
			b.WriteString(name)
			b.WriteString(value)
		}
	}
	return b.String()
}

// signedURLs returns the spellings of rawURL that the carrier may have signed:
// its back ends disagree about default ports and about the apostrophe. It works
// on the string, since parsing and printing a URL may change it.
func signedURLs(rawURL string) []string {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return nil
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	user, host, tail := "", rest[:end], rest[end:]
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		user, host = host[:at+1], host[at+1:]
	}
	given := ""
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host, given = host[:colon], host[colon:]
	}
	ports := []string{"", given}
	switch strings.ToLower(scheme) {
	case "https":
		ports = append(ports, ":443")
	case "wss":
		// The official libraries add port 80 to wss, the service need not.
		ports = append(ports, ":443", ":80")
	case "http", "ws":
		ports = append(ports, ":80")
	}
	tails := []string{tail}
	if q := strings.IndexByte(tail, '?'); q >= 0 && strings.Contains(tail[q:], "'") {
		tails = append(tails, tail[:q]+strings.ReplaceAll(tail[q:], "'", "%27"))
	}
	var urls []string
	for i, port := range ports {
		if slices.Contains(ports[:i], port) {
			continue
		}
		for _, tail := range tails {
			urls = append(urls, scheme+"://"+user+host+port+tail)
		}
	}
	return urls
}
