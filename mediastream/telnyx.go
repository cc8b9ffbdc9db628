package mediastream

import (
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// telnyx is a TeXML application, or a Call Control one (telnyxControl), with a bidirectional stream in RTP mode: without
// the mode, it would take MP3 from us. Messages to it name no stream; those from
// it may overtake each other, and are put in order by media.chunk.
//
// The signature, the messages and the codecs are documented. At second hand, of
// TeXML: the attributes of <Stream>, and that CallSid is the start message's
// call_control_id, for which reason the token alone binds the two. It is in the
// path.
func telnyx() *profile {
	p := twilio()
	p.name = "telnyx"
	p.requests = requests{signed: signedByTelnyx, upgradeUnsigned: true, params: telnyxParams}
	p.tokenInPath, p.unbound, p.shuffled = true, true, true
	p.answers.connect = connectTeXML
	p.encodings = []string{"PCMU"}
	p.kinds = append(p.kinds, kind{"error", eventFault})
	p.names.stream = "stream_id"
	p.names.account, p.names.call, p.names.parameters = "user_id", "call_control_id", "custom_parameters"
	p.names.format, p.names.sampleRate = "media_format", "sample_rate"
	p.outMedia = template{`{"event":"media","media":{"payload":"`, `"}}`}
	p.outMark = template{`{"event":"mark","mark":{"name":"`, `"}}`}
	p.outClear = []string{`{"event":"clear"}`}
	p.outFrame = media.FrameBytes // less than 20 ms is refused
	p.readStart = p.readTwilioStart
	p.transfer = transferByAPI(texmlDetour)
	p.credentials = "set media_streams.telnyx.api_key"
	p.control = telnyxControl(p.prefixed())
	return p
}

// connectTeXML connects to a stream in µ-law. Both tracks would include our own
// audio.
func connectTeXML(c connection) string {
	var b strings.Builder
	b.WriteString(twimlHeader + `<Response><Connect><Stream`)
	attribute(&b, "url", c.stream+"/"+c.token)
	attribute(&b, "track", "inbound_track")
	attribute(&b, "bidirectionalMode", "rtp")
	attribute(&b, "bidirectionalCodec", "PCMU")
	attribute(&b, "statusCallback", c.status)
	b.WriteString(`></Stream></Connect><Hangup/></Response>`)
	return b.String()
}

// signatureSkew is how old, or how far ahead, a signature's time may be.
const signatureSkew = 5 * time.Minute

// timely tells whether a signature's time, in seconds since 1970, is now.
func timely(seconds string) bool {
	n, err := strconv.ParseInt(seconds, 10, 64)
	return err == nil && recent(time.Unix(n, 0))
}

// recent tells whether a signature's time is now.
func recent(at time.Time) bool {
	age := time.Since(at)
	return -signatureSkew <= age && age <= signatureSkew
}

// signedByTelnyx checks an Ed25519 signature of the time and the body. The
// secrets are public keys in base64.
func signedByTelnyx(keys []string, r *http.Request, _ string, _ url.Values, body []byte) bool {
	at := r.Header.Get("telnyx-timestamp")
	signature, err := base64.StdEncoding.DecodeString(r.Header.Get("telnyx-signature-ed25519"))
	if err != nil || !timely(at) {
		return false
	}
	signed := append([]byte(at+"|"), body...)
	for _, text := range keys {
		key, err := base64.StdEncoding.DecodeString(text)
		if err == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, signed, signature) {
			return true
		}
	}
	return false
}
