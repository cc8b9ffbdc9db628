package mediastream

import (
	"encoding/xml"
	"strings"

	"github.com/callgw/callgw/bridge/media"
)

const twimlHeader = xml.Header

// tokenParameter carries the one-time token from the TwiML to the start
// message. A query string would not: carriers drop it.
const tokenParameter = "t"

// connectTwiML connects the call to a bidirectional stream. When the stream
// ends, so does the call: a verb that waits would keep the caller on a dead
// line.
func connectTwiML(streamURL, statusURL, token string) string {
	var b strings.Builder
	b.WriteString(twimlHeader + `<Response><Connect><Stream`)
	attribute(&b, "url", streamURL)
	attribute(&b, "statusCallback", statusURL)
	b.WriteString(`><Parameter`)
	attribute(&b, "name", tokenParameter)
	attribute(&b, "value", token)
	b.WriteString(`/></Stream></Connect><Hangup/></Response>`)
	return b.String()
}

// rejectTwiML refuses the call; as first verb it is neither answered nor billed.
func rejectTwiML(cause media.Cause) string {
	return twimlHeader + `<Response><Reject reason="` + rejection(cause) + `"/></Response>`
}

// rejection returns the nearer of the two words that carriers know.
func rejection(cause media.Cause) string {
	switch cause {
	case media.Busy, media.Shutdown, media.ProviderRefused, media.NoAnswer, media.Internal:
		return "busy"
	}
	return "rejected"
}

// sayTwiML answers the call to speak one sentence.
func sayTwiML(sentence string) string {
	var b strings.Builder
	b.WriteString(twimlHeader + `<Response><Say>`)
	escape(&b, sentence)
	b.WriteString(`</Say><Hangup/></Response>`)
	return b.String()
}

// hangupTwiML ends a call that was answered, without a word.
func hangupTwiML() string { return twimlHeader + `<Response><Hangup/></Response>` }

func attribute(b *strings.Builder, name, value string) {
	b.WriteString(" " + name + `="`)
	escape(b, value)
	b.WriteByte('"')
}

// escape writes text as XML; what XML cannot carry becomes U+FFFD.
func escape(b *strings.Builder, text string) {
	_ = xml.EscapeText(b, []byte(text)) // a strings.Builder does not fail
}
