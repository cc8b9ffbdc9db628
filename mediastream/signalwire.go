package mediastream

import (
	"cmp"
	"strings"
)

// signalwire is cXML's bidirectional <Stream>: Twilio's verbs and messages, but
// media, start and stop do not name the stream, which only start.streamSid
// does, and the ids are UUIDs.
//
// At second hand: the signature (header X-SignalWire-Signature or Twilio's,
// Twilio's algorithm, keyed with the space's signing key), and that parameters
// within <Connect><Stream> may get lost, for which reason the token is in the
// path. Nothing says that the upgrade is signed.
func signalwire() *profile {
	p := twilio()
	p.name = "signalwire"
	p.requests.signed = signedLikeTwilio("X-SignalWire-Signature", "X-Twilio-Signature")
	p.requests.upgradeUnsigned = true
	p.tokenInPath = true
	p.credentials = "set media_streams.signalwire.space, .project and .api_token"
	p.answers.connect = connectCXML
	p.readStart = p.readTwilioStart
	return p.prefixed()
}

// connectCXML connects to a stream in µ-law. The attribute realtime stays
// false: only buffered playback keeps marks true.
func connectCXML(c connection) string {
	var b strings.Builder
	b.WriteString(twimlHeader + `<Response><Connect><Stream`)
	attribute(&b, "url", c.stream+"/"+c.token)
	attribute(&b, "codec", "PCMU@8000h")
	attribute(&b, "statusCallback", c.status)
	b.WriteString(`></Stream></Connect><Hangup/></Response>`)
	return b.String()
}

// parametersOf returns the token that a socket and its start message carry.
func (p *profile) tokenOf(sock *socket, st start) string {
	if p.tokenInPath {
		return sock.token
	}
	return cmp.Or(st.parameters[tokenParameter], sock.token)
}
