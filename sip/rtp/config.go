package rtp

import (
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/sip/sdp"
)

// DefaultTimeout is how long a call may go without a packet from its peer.
const DefaultTimeout = 20 * time.Second

// Config says what a session works on. Conn, Uplink, Downlink and Pacer are
// required.
type Config struct {
	// Conn is the socket. The session does not close it.
	Conn Conn
	// Stream is what SDP settled; it may be the zero value, and the session
	// idle, until Update brings it.
	Stream sdp.Stream
	// Uplink takes the caller's audio, keys and holds. Only the goroutine that
	// runs the session calls it.
	Uplink media.Uplink
	// Downlink gives the agent's audio. Only the pacer's tick calls it.
	Downlink media.Downlink
	// UplinkLaw is told in which law the frames for Uplink come from then on, before
	// the first and whenever the peer changes it; DownlinkLaw in which law Downlink is
	// to give them. Who calls Uplink and Downlink calls these, or Update does while
	// nobody else calls Downlink. nil means that nobody needs to know.
	UplinkLaw, DownlinkLaw func(media.Codec)
	// Pacer is the clock of the sender.
	Pacer *pacer.Pacer
	// Timeout is how long after Start the peer may send nothing valid, neither RTP
	// nor RTCP, before Run ends with media.MediaTimeout. Time on hold, or with a
	// peer that said it would send nothing, does not count. 0 means
	// DefaultTimeout, less than 0 never.
	Timeout time.Duration
	// Reporter exchanges RTCP reports with the peer; nil means that none are sent.
	Reporter *Reporter
	// RTCP is the socket of reports that do not share RTP's port. nil means that of
	// Conn, when it is a [Pair], else none.
	RTCP ReportConn
	// Metrics counts for all sessions together; its zero value counts nothing.
	Metrics Metrics
}
