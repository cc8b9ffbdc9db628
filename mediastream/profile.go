package mediastream

import "strings"

// profile is what differs between carriers that speak this protocol.
type profile struct {
	name            string // the leg label and the log's
	voice           string // paths
	media           string
	status          string
	after           string // where a call goes after a transfer
	signatureHeader string

	// Inbound messages: the values of the event member and the names of others.
	events events
	names  names
	// connected says that a connected message precedes start.
	connected bool
	// encodings are the names under which µ-law passes.
	encodings []string

	// Outbound messages, with $stream for the stream's id as a JSON string.
	// Payload and name are written between the two halves.
	outMedia, outMark template
	outClear          string
}

// events are the values that tell inbound messages apart.
type events struct {
	connected, start, media, dtmf, mark, stop string
}

// names are the names of inbound members.
type names struct {
	event                                  string
	stream                                 string // in every message and, if not there, in start
	account, call, parameters              string // in start
	format, encoding, sampleRate, channels string // in start
}

// template is a message with a place for one value.
type template struct{ before, after string }

// twilio speaks the protocol as documented under "Media Streams – WebSocket
// messages". Every numeric member but those of mediaFormat is a string there.
func twilio() *profile {
	return &profile{
		name:            "twilio",
		voice:           "/twilio/voice",
		media:           "/twilio/media",
		status:          "/twilio/status",
		after:           "/twilio/after",
		signatureHeader: "X-Twilio-Signature",
		events: events{
			connected: "connected", start: "start", media: "media",
			dtmf: "dtmf", mark: "mark", stop: "stop",
		},
		names: names{
			event: "event", stream: "streamSid",
			account: "accountSid", call: "callSid", parameters: "customParameters",
			format: "mediaFormat", encoding: "encoding", sampleRate: "sampleRate", channels: "channels",
		},
		connected: true,
		encodings: []string{"audio/x-mulaw"},
		outMedia:  template{`{"event":"media","streamSid":$stream,"media":{"payload":"`, `"}}`},
		outMark:   template{`{"event":"mark","streamSid":$stream,"mark":{"name":"`, `"}}`},
		outClear:  `{"event":"clear","streamSid":$stream}`,
	}
}

func (t template) bind(stream string) template {
	return template{bind(t.before, stream), bind(t.after, stream)}
}

// bind puts the stream's id, already quoted, where a template names it.
func bind(text, stream string) string { return strings.ReplaceAll(text, "$stream", stream) }
