package rtp

import (
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/sdp"
)

// laws are the payload types of G.711 that the peer may send, and the law that it
// speaks now.
type laws struct {
	known  [128]bool
	codecs [128]media.Codec
	spoken media.Codec
	told   bool // spoken holds, and was told
}

// settle takes what SDP settled, now or anew. What was settled before goes on being
// understood: it is on its way, and the peer may take a while to change (RFC 3264
// §8.3.2).
func (l *laws) settle(s sdp.Stream) {
	// Peers send the numbers of either side. Where the two mean different laws,
	// those that they were told to send are right.
	for _, law := range s.Laws {
		l.set(law.Send, law.Codec)
	}
	l.set(s.Send.Audio, s.Codec)
	for _, law := range s.Laws {
		l.set(law.Receive, law.Codec)
	}
	l.set(s.Receive.Audio, s.Codec)
	for _, types := range []sdp.PayloadTypes{s.Send, s.Receive} {
		if types.Events {
			l.known[types.Event&0x7F] = false
		}
	}
}

func (l *laws) set(kind uint8, law media.Codec) {
	l.known[kind&0x7F], l.codecs[kind&0x7F] = true, law
}

func (l *laws) has(kind uint8) bool       { return l.known[kind&0x7F] }
func (l *laws) of(kind uint8) media.Codec { return l.codecs[kind&0x7F] }
