package sdp

import (
	"net/netip"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// DefaultEventType is the telephone-event payload type of offers made here.
const DefaultEventType = 101

// Local is what this side says of itself in an offer or answer.
type Local struct {
	// Address is where this side receives, in c= and o=.
	Address netip.Addr
	// Port is where it receives RTP; RTCP goes to the next one.
	Port uint16
	// Codecs are those allowed, in order of preference, which decides over the
	// peer's order. Empty means PCMU and PCMA; an answer then follows the
	// order of the offer, which spares a carrier the transcoding.
	Codecs []media.Codec
	// Direction is the most that this side wants. The zero value is SendRecv.
	Direction Direction
	// Ptime is the packet time this side prefers; 0 means 20 ms. What the peer
	// asks for goes first.
	Ptime time.Duration
	// EventType is the payload type that an offer gives telephone-event; 0 means
	// DefaultEventType. A later offer of the same dialog keeps the number in use
	// (RFC 3264 §8.3.2). Answers use the offer's.
	EventType uint8
	// SRTP says whether the audio may or must be encrypted. The zero value is
	// SRTPOff.
	SRTP SRTP
	// Secret is what this side's keys come from: NewSecret, once per call. Without
	// one, nothing can be encrypted: SRTPOptional is as SRTPOff, and SRTPRequired
	// refuses everything.
	Secret Secret
	// Security is that of the stream in use, so that later descriptions keep its
	// keys. The zero value is for the first one.
	Security Security
	// Origin identifies the session and the version of its description.
	Origin Origin
}

// Origin is the part of o= that tells descriptions apart (RFC 8866 §5.2).
type Origin struct {
	// ID stays the same throughout a dialog.
	ID uint64
	// Version grows by one with every changed description.
	Version uint64
}

// Next returns the origin of a changed description (RFC 3264 §8).
func (o Origin) Next() Origin {
	o.Version++
	return o
}

func (l Local) codecs() []media.Codec {
	if len(l.Codecs) == 0 {
		return []media.Codec{media.PCMU, media.PCMA}
	}
	return l.Codecs
}

func (l Local) eventType() uint8 {
	if l.EventType == 0 {
		return DefaultEventType
	}
	return l.EventType
}
