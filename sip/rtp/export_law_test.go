package rtp

import (
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/sdp"
)

// Kind is a payload type with its law.
type Kind struct {
	Kind uint8
	Law  media.Codec
}

// Understood returns what is taken for audio after the streams were settled one after
// the other.
func Understood(streams ...sdp.Stream) (kinds []Kind) {
	var l laws
	for _, s := range streams {
		l.settle(s)
	}
	for kind := range uint8(128) {
		if l.has(kind) {
			kinds = append(kinds, Kind{kind, l.of(kind)})
		}
	}
	return kinds
}
