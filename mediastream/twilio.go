package mediastream

import (
	"net/http"
	"net/url"
)

// twilio speaks the protocol as documented under "Media Streams – WebSocket
// messages". Every numeric member but those of mediaFormat is a string there.
func twilio() *profile {
	p := &profile{
		name: "twilio",
		requests: requests{
			signed: signedLikeTwilio("X-Twilio-Signature"),
			params: formParams,
		},
		answers: answers{
			contentType: "text/xml; charset=utf-8",
			connect:     func(c connection) string { return connectTwiML(c.stream, c.status, c.token) },
			reject:      rejectTwiML,
			say:         sayTwiML,
			hangup:      hangupTwiML,
		},
		transfer:    transferByTwiML,
		credentials: "set media_streams.twilio.account_sid and .auth_token",
		connected:   true,
		encodings:   []string{"audio/x-mulaw"},
		kinds: []kind{
			{"media", eventMedia},
			{"mark", eventMark},
			{"dtmf", eventDTMF},
			{"start", eventStart},
			{"connected", eventConnected},
			{"stop", eventStop},
		},
		names: names{
			event: "event", stream: "streamSid", media: "media", start: "start",
			account: "accountSid", call: "callSid", parameters: "customParameters",
			format: "mediaFormat", encoding: "encoding", sampleRate: "sampleRate", channels: "channels",
		},
		digit:    place{"dtmf", "digit"},
		mark:     place{"mark", "name"},
		outMedia: template{`{"event":"media","streamSid":$stream,"media":{"payload":"`, `"}}`},
		outMark:  template{`{"event":"mark","streamSid":$stream,"mark":{"name":"`, `"}}`},
		outClear: []string{`{"event":"clear","streamSid":$stream}`},
	}
	p.readStart = p.readTwilioStart
	return p.prefixed()
}

// signedLikeTwilio returns the check of signatures that follow Twilio's rules, in
// the first of these headers that is there.
func signedLikeTwilio(headers ...string) func([]string, *http.Request, string, url.Values, []byte) bool {
	return func(secrets []string, r *http.Request, target string, form url.Values, _ []byte) bool {
		for _, header := range headers {
			if signature := r.Header.Get(header); signature != "" {
				return ValidSignature(secrets, target, form, signature)
			}
		}
		return false
	}
}

// formParams returns the parameters of a form and of the URL.
func formParams(r *http.Request, _ []byte) (url.Values, error) { return r.Form, nil }
