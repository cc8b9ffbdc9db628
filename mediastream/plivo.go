package mediastream

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/callgw/callgw/bridge/media"
)

// plivo is <Stream bidirectional>: playAudio, and checkpoints that come back as
// playedStream. Its defaults would be L16, and to go on with the next element at
// once. clearedAudio tells nothing that we do not know.
//
// At second hand: the messages' shapes are those of its SDK, "played" for
// playedStream that of its support pages. What becomes of checkpoints when audio
// is cleared, and whether one comes back at once when nothing plays, is
// documented nowhere; nothing here waits for them. The token is in the path, as
// the format in which extraHeaders come back is not documented either.
func plivo() *profile {
	p := twilio()
	p.name = "plivo"
	p.requests = requests{signed: signedByPlivo, upgradeUnsigned: true, params: plivoParams}
	p.tokenInPath = true
	p.transfer, p.dialling = transferByAPI(plivoDetour), dialPlivo
	p.credentials = "set media_streams.plivo.auth_id"
	p.dial = "/plivo/dial"
	p.answers.connect = connectPlivo
	p.answers.reject = rejectPlivo
	p.answers.say = sayPlivo
	p.connected = false
	p.kinds = []kind{
		{"media", eventMedia},
		{"playedStream", eventMark},
		{"played", eventMark},
		{"dtmf", eventDTMF},
		{"start", eventStart},
		{"stop", eventStop},
	}
	p.names.stream = "streamId"
	p.names.account, p.names.call = "accountId", "callId"
	p.mark = place{"", "name"}
	p.outMedia = template{`{"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":"`, `"}}`}
	p.outMark = template{`{"event":"checkpoint","streamId":$stream,"name":"`, `"}`}
	p.outClear = []string{`{"event":"clearAudio","streamId":$stream}`}
	p.readStart = p.readTwilioStart
	return p.prefixed()
}

func plivoParams(r *http.Request, _ []byte) (url.Values, error) {
	params := renamed(r.Form, "CallUUID", "CallSid", "callId", "CallSid", "DialStatus", "DialCallStatus")
	for _, name := range []string{"From", "To"} {
		if params.Has(name) {
			params.Set(name, international(params.Get(name)))
		}
	}
	for _, name := range []string{"CallStatus", "DialCallStatus"} {
		switch params.Get(name) {
		case "cancel":
			params.Set(name, "canceled")
		case "timeout":
			params.Set(name, "no-answer")
		}
	}
	return params, nil
}

func connectPlivo(c connection) string {
	var b strings.Builder
	b.WriteString(twimlHeader + `<Response><Stream`)
	attribute(&b, "bidirectional", "true")
	attribute(&b, "keepCallAlive", "true")
	attribute(&b, "audioTrack", "inbound")
	attribute(&b, "contentType", "audio/x-mulaw;rate=8000")
	attribute(&b, "statusCallbackUrl", c.status)
	b.WriteString(`>`)
	escape(&b, c.stream+"/"+c.token)
	b.WriteString(`</Stream><Hangup/></Response>`)
	return b.String()
}

func rejectPlivo(cause media.Cause) string {
	return twimlHeader + `<Response><Hangup reason="` + rejection(cause) + `"/></Response>`
}

func sayPlivo(sentence string) string {
	var b strings.Builder
	b.WriteString(twimlHeader + `<Response><Speak>`)
	escape(&b, sentence)
	b.WriteString(`</Speak><Hangup/></Response>`)
	return b.String()
}

// signedByPlivo checks a signature of version 3: base64 of the HMAC-SHA256,
// keyed with the account's auth token, of the URL, the parameters and a nonce.
func signedByPlivo(secrets []string, r *http.Request, target string, form url.Values, _ []byte) bool {
	nonce := r.Header.Get("X-Plivo-Signature-V3-Nonce")
	given := strings.Split(r.Header.Get("X-Plivo-Signature-V3"), ",")
	if nonce == "" {
		return false
	}
	for _, base := range plivoBases(r.Method, target, form) {
		for _, secret := range secrets {
			if secret == "" { // would accept anybody's signature
				continue
			}
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(base + "." + nonce))
			want := mac.Sum(nil)
			for _, signature := range given {
				got, err := base64.StdEncoding.DecodeString(strings.TrimSpace(signature))
				if err == nil && hmac.Equal(got, want) {
					return true
				}
			}
		}
	}
	return false
}

// plivoBases returns what may have been signed of a request: the URL with its
// query sorted, and the form's names and values without delimiters.
func plivoBases(method, target string, form url.Values) []string {
	bare, query, _ := strings.Cut(target, "?")
	parsed, err := url.ParseQuery(query)
	if err != nil {
		return nil
	}
	sorted := sortedPairs(parsed, "=", "&")
	switch tail := sortedPairs(form, "", ""); {
	case method != http.MethodPost || tail == "":
		if sorted == "" {
			return []string{bare}
		}
		return []string{bare + "?" + sorted}
	case sorted == "":
		// Its libraries write the question mark of a query that is not there.
		return []string{bare + "?" + tail, bare + tail}
	default:
		return []string{bare + "?" + sorted + "." + tail}
	}
}

// sortedPairs joins names and values, sorted by both.
func sortedPairs(values url.Values, equals, and string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range slices.Sorted(slices.Values(values[name])) {
			pairs = append(pairs, name+equals+value)
		}
	}
	return strings.Join(pairs, and)
}
