package mediastream

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/callgw/callgw/bridge/media"
)

// profile is what differs between carriers that speak this protocol. Its zero
// values mean: as Twilio does.
type profile struct {
	name     string // the leg label and the log's
	voice    string // paths
	media    string
	status   string
	after    string // where a call goes after a transfer
	dial     string // where a carrier asks whom to dial for one; "": it was told
	next     string // where a peer asks where a call goes that has left us
	requests requests
	answers  answers
	control  *profile // of calls that are told of by events; nil: none are

	// eventful says that calls are told of by events.
	eventful bool

	// transfer lets the carrier hand a call over; nil: it cannot be asked to.
	transfer func(ctx context.Context, s *Stream, target string) error
	// dialling returns what the carrier gets at dial.
	dialling func(s *Stream, target string) (document string, err error)
	// credentials tells what to set in the configuration for that; "": nothing.
	credentials string

	// The handshake.

	// tokenInPath says that the token is the last segment of the stream's path,
	// for carriers that lose parameters.
	tokenInPath bool
	// born says that calls begin with their socket: there is no webhook. They
	// are accepted only with one of Config.AuthTokens.
	born bool
	// capable says that such a peer tells what it can do besides: transfer, and
	// hang up at outHangup.
	capable bool
	// late says that such a peer may show its secret in the start message.
	late        bool
	subprotocol string
	// connected says that a connected message precedes start.
	connected bool
	readStart func(m *message) (start, error)
	// unbound says that the start message may name the call otherwise than the
	// webhook: the token alone binds them.
	unbound bool
	// encodings are the names under which µ-law passes.
	encodings []string

	// Inbound messages.

	kinds  []kind
	names  names
	digit  place
	mark   place
	binary encoding // of audio that comes and goes in binary frames
	plain  bool     // messages may also be plain text
	// shuffled says that media messages may overtake each other.
	shuffled bool

	// Outbound messages, with $stream for the stream's id as a JSON string.
	// Payload and name are written between the two halves.
	outMedia, outMark template
	outClear          []string
	// outAnswer and outHangup are what answers and ends a call, "" if nothing
	// on the socket does.
	outAnswer, outHangup string
	// outStatus asks how much is unplayed. With it the round trip is measured,
	// and a clear, which contains it, tells what was heard exactly.
	outStatus string
	// outFrame is how long audio must be, or a multiple of which; 0: any length.
	outFrame int
	// single says that a message carries one outFrame, not several.
	single bool
}

// requests are how a carrier's HTTP requests are read.
type requests struct {
	// signed tells whether a request to target, which begins with the public
	// URL, was made by somebody who has one of secrets. form is empty if the
	// body is none.
	signed func(secrets []string, r *http.Request, target string, form url.Values, body []byte) bool
	// upgradeUnsigned says that only the token vouches for a socket.
	upgradeUnsigned bool
	// params returns what a request tells, under Twilio's names and its own.
	params func(r *http.Request, body []byte) (url.Values, error)
}

// answers are the documents that tell a carrier what to do with a call.
type answers struct {
	contentType string
	connect     func(c connection) string
	reject      func(cause media.Cause) string
	say         func(sentence string) string
	hangup      func() string
}

// connection is what a call is connected to.
type connection struct {
	stream, status string // URLs
	token          string
}

// kind gives an event its name.
type kind struct {
	name  string
	event event
}

// place is where a value stands: in an object, or beside it if that is "".
type place struct{ object, member string }

// names are the names of inbound members.
type names struct {
	event, otherEvent string // of which the one that is there counts
	stream            string // in every message and, if not there, in start
	media             string // the object with a payload
	start             string // the object with what follows; "": the message itself
	extra             string // beside it
	unplayed          string // frames, in a status
	transfer          string // the object with an answer to one
	// In start.
	account, call, parameters              string
	capabilities                           string
	format, encoding, sampleRate, channels string
}

// template is a message with a place for one value.
type template struct{ before, after string }

func (t template) bind(stream string) template {
	return template{bind(t.before, stream), bind(t.after, stream)}
}

// bind puts the stream's id, already quoted, where a template names it.
func bind(text, stream string) string { return strings.ReplaceAll(text, "$stream", stream) }

// prefixed sets the paths of the carrier's endpoints.
func (p *profile) prefixed() *profile {
	p.media = "/" + p.name + "/media"
	if !p.born {
		p.voice, p.status, p.after = "/"+p.name+"/voice", "/"+p.name+"/status", "/"+p.name+"/after"
	}
	return p
}
