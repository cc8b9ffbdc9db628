package sdp

import (
	"fmt"
	"slices"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// Offer makes an offer: for a call out, for an INVITE that came without one,
// or, with the peer's latest description as previous, for a change during the
// call. Then the m= lines keep their number and order, and all but the call's
// audio stay refused (RFC 3264 §8).
func Offer(local Local, previous *Description) []byte {
	audio := line{
		kind:      "audio",
		port:      local.Port,
		proto:     local.proto(),
		event:     local.eventType(),
		events:    true,
		ptime:     offeredPtime(local),
		direction: local.Direction,
	}
	for _, c := range local.codecs() {
		audio.codecs = append(audio.codecs, coded{c.PayloadType(), Codec{Name: c.String(), Clock: media.SampleRate}})
	}
	if local.secures() {
		audio.keys = local.proposals()
	}
	if previous == nil {
		return write(local, []line{audio})
	}
	lines := make([]line, 0, len(previous.Media)+1)
	for _, m := range previous.Media {
		lines = append(lines, refusal(m))
	}
	if used, err := choose(previous, local, local.Codecs, (*Media).proposed); err == nil {
		m := &previous.Media[used.index]
		audio.proto, audio.mux = m.Proto, m.RTCPMux
		if used.keys.suite == 0 {
			audio.keys = nil // what was settled in the clear stays so
		}
		lines[used.index] = audio
	} else {
		// RFC 3264 §8.1: new lines come after the old ones.
		lines = append(lines, audio)
	}
	return write(local, lines)
}

func offeredPtime(local Local) time.Duration { return ptime(&Media{}, local.Ptime) }

// Accept reads the answer to an offer made with local. The error wraps
// ErrNotAcceptable when the peer refused the audio or answered with what was
// not offered.
func Accept(local Local, answer *Description) (Stream, error) {
	found, err := choose(answer, local, local.codecs(), local.chosen)
	if err != nil {
		return Stream{}, err
	}
	m, keys := &answer.Media[found.index], found.keys
	if local.secures() && len(m.Crypto) > 0 && keys.suite == 0 {
		return Stream{}, fmt.Errorf("%w: SRTP keys that were not asked for", ErrNotAcceptable)
	}
	// RFC 3264 §7: the first format of the answer is what the peer prefers; §6.1: any
	// of them may come, and be sent. This side receives the numbers of its own offer.
	var codec Codec
	var laws []Law
	for _, c := range m.Codecs {
		law, ok := c.g711()
		if !ok || !slices.Contains(local.codecs(), law) {
			continue
		}
		if len(laws) == 0 {
			codec = c
		}
		laws = append(laws, Law{law, c.Type, law.PayloadType()})
	}
	s := m.stream(codec, local)
	s.Laws = laws
	s.Receive = PayloadTypes{Audio: s.Codec.PayloadType(), Event: local.eventType(), Events: s.Send.Events}
	if keys.suite != 0 {
		s.Security = Security{keys.suite, local.key(keys.suite, Key{}), keys.key}
	}
	return s, nil
}
