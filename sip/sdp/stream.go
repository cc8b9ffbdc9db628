package sdp

import (
	"net/netip"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// Stream is what an offer and its answer settled for the call's audio, seen
// from this side.
type Stream struct {
	// Codec is the law that this side sends: the peer's first choice, until Speaking
	// says otherwise.
	Codec media.Codec
	// Laws are all of the peer's answer, its first choice first: it may send any of
	// them, and change without a word (RFC 3264 §6.1). Answers of this side name one,
	// and leave them empty.
	Laws []Law
	// Send holds the payload types that the peer expects.
	Send PayloadTypes
	// Receive holds the payload types that the peer was told to send. They
	// differ from Send only when the peer's answer numbers them anew.
	Receive PayloadTypes
	// Ptime is how much audio goes into one packet to the peer: a multiple of
	// 10 ms, 10 to 60.
	Ptime time.Duration
	// Direction is this side's: RecvOnly means that the peer does not want to
	// hear us (hold), SendOnly that it will send nothing.
	Direction Direction
	// Remote is where the peer receives RTP. It is not valid when the peer
	// gave a host name, which Host then holds, or the unspecified address of
	// an RFC 2543 hold.
	Remote netip.AddrPort
	// Host is the peer's connection address as it was written.
	Host string
	// RTCP is where the peer receives RTCP (RFC 3605): Remote's next port
	// unless it said otherwise, Remote itself with RTCPMux.
	RTCP netip.AddrPort
	// RTCPMux says that both sides share the RTP port with RTCP (RFC 5761).
	// Answers agree to it whenever it was offered.
	RTCPMux bool
	// Security says whether and how both ways are encrypted.
	Security Security
}

// Law is one of the two laws of G.711 with its payload types.
type Law struct {
	Codec media.Codec
	// Send is the number that the peer expects, Receive that which it was told to
	// send.
	Send, Receive uint8
}

// Speaking returns the stream in which this side sends law, if the peer takes it,
// else the stream as it is.
func (s Stream) Speaking(law media.Codec) Stream {
	if s.Codec == law {
		return s
	}
	for _, l := range s.Laws {
		if l.Codec == law {
			s.Codec, s.Send.Audio, s.Receive.Audio = law, l.Send, l.Receive
			break
		}
	}
	return s
}

// OnHold reports whether the peer put the call on hold: it does not want what
// this side sends.
func (s Stream) OnHold() bool { return !s.Direction.Sends() }

// PayloadTypes are the RTP payload types of one way.
type PayloadTypes struct {
	Audio uint8
	// Event is telephone-event's type at 8000 Hz (RFC 4733), when Events.
	Event  uint8
	Events bool
}
