package mediastreamtest

import (
	"context"
	"net"
	"net/url"
	"time"

	"github.com/callgw/callgw/mediastream"
)

// Config of a call. Only WebhookURL is required.
type Config struct {
	// Carrier is whose dialect is spoken. Default mediastream.Twilio.
	Carrier mediastream.Carrier
	// WebhookURL is the gateway's voice webhook: http://host/twilio/voice. Of
	// carriers without one it is where the socket is opened, without ws:
	// http://host/asterisk/media.
	WebhookURL string
	// PublicURL is the gateway's origin as it believes it to be, against which
	// requests are signed; default: that of the URLs used. The socket is opened
	// on WebhookURL's host if PublicURL is set.
	PublicURL string
	// From and To are the numbers; Params are further webhook parameters.
	From, To string
	Params   url.Values
	// AccountSID and CallSID default to one fixed and one random.
	AccountSID, CallSID string
	// AuthToken signs. Empty: nothing is signed. Of Telnyx it is the private
	// key's seed in base64; of carriers without a webhook, what lets them in.
	AuthToken string

	// Delay is the network's, one way; up to Jitter is added to each message.
	Delay, Jitter time.Duration
	// Seed makes jitter and ids repeatable. 0: a random one.
	Seed uint64

	// SkipSilence leaves out caller audio that is silent, as some calls do.
	SkipSilence bool
	// Duplicate sends every nth media message twice, Swap exchanges every nth
	// with the one after it. 0: never.
	Duplicate, Swap int
	// Lose leaves out media messages lost to the network before the carrier:
	// those whose number, from 0, it returns true for.
	Lose func(n int) bool
	// Record keeps what the caller hears for Call.Recording.
	Record bool

	// API, if set, is the carrier's REST API, which may then end the call or
	// take it elsewhere.
	API *API

	// Telnyx, if set, is the Call Control of a Telnyx that tells of the call by
	// events.
	Telnyx *TelnyxAPI

	// TeXML, if set, is the API of a Telnyx over its TeXML applications, which may
	// then end the call or take it elsewhere.
	TeXML *TeXMLAPI

	// Plivo, if set, is the call API of Plivo, which may then end the call or
	// take it elsewhere.
	Plivo *PlivoAPI

	// Vonage, if set, is the Voice API of Vonage, which may do the same.
	Vonage *VonageAPI

	// Jambonz, if set, is the API of a jambonz server, which may do the same.
	Jambonz *JambonzAPI

	// Dialplan, if set, is the dialplan of an Asterisk that its calls go on with
	// when they have left the gateway.
	Dialplan *Dialplan

	// Program, if set, is what a generic peer can do besides.
	Program *Program

	// DialContext opens connections. Default: a net.Dialer's.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}
