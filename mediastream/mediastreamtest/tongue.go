package mediastreamtest

import (
	"context"
	"net/http"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

// tongue is how a carrier speaks, as its documentation has it.
type tongue interface {
	// invite asks the gateway what to do with a call, if calls begin with a
	// request, and returns where the stream is to be opened.
	invite(ctx context.Context, c *Call) (destination, error)
	// begin returns the messages that begin a stream.
	begin(c *Call, parameters map[string]string) ([]frame, error)
	// media returns what carries caller audio: message number n, from 1, at so
	// many ms from the beginning.
	media(c *Call, n int, stamp int64, audio []byte) frame
	digit(c *Call, d media.Digit) frame
	// played tells that a mark was reached.
	played(c *Call, mark string) frame
	// cleared tells what a clear has done to these marks.
	cleared(c *Call, marks []string) []frame
	// status tells how many frames are unplayed.
	status(c *Call, frames int64) frame
	// stop returns what precedes the close of the socket.
	stop(c *Call) []frame
	// read reads a message from the gateway; an error is a breach.
	read(c *Call, kind int, text []byte) (order, error)
}

// destination is where a stream is opened.
type destination struct {
	url         string
	header      http.Header
	subprotocol string
	parameters  map[string]string
}

// frame is a WebSocket message.
type frame struct {
	kind int
	text []byte
}

// tongueOf returns a carrier's tongue.
func tongueOf(carrier mediastream.Carrier) tongue {
	switch carrier {
	case mediastream.SignalWire:
		return signalwire{}
	case mediastream.Telnyx:
		return telnyx{}
	case mediastream.Plivo:
		return plivo{}
	case mediastream.Vonage:
		return vonage{}
	case mediastream.Jambonz:
		return jambonz{}
	case mediastream.Asterisk:
		return &asterisk{}
	case mediastream.Generic:
		return generic{}
	}
	return twilio{}
}
