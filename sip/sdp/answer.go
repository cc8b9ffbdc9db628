package sdp

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/callgw/callgw/bridge/media"
)

// Answer answers an offer: the first audio line that has a codec in common is
// accepted, or the first that can be encrypted, if any; every other line is refused
// with port 0 (RFC 3264 §6). The answer names one codec, so that nobody changes it
// during the call, telephone-event when it was offered, and the first crypto suite
// in common. The error wraps ErrNotAcceptable.
func Answer(offer *Description, local Local) (body []byte, stream Stream, err error) {
	chosen, err := choose(offer, local, local.Codecs, (*Media).proposed)
	if err != nil {
		return nil, Stream{}, err
	}
	m, theirs := &offer.Media[chosen.index], chosen.keys
	stream = m.stream(chosen.codec, local)
	stream.Receive = stream.Send // RFC 3264 §6.1: the offer's numbers serve both ways
	var ours []proposal
	if theirs.suite != 0 {
		stream.Security = Security{theirs.suite, local.key(theirs.suite, theirs.key), theirs.key}
		// RFC 4568 §5.1.2: the chosen line's tag and suite, with this side's key.
		ours = []proposal{{theirs.tag, theirs.suite, stream.Security.Send}}
	}

	lines := make([]line, len(offer.Media))
	for i, o := range offer.Media {
		lines[i] = refusal(o)
	}
	lines[chosen.index] = line{
		kind:      m.Type,
		port:      local.Port,
		proto:     m.Proto, // RFC 3264 §6: the transport is the offer's
		codecs:    []coded{{stream.Send.Audio, chosen.codec}},
		event:     stream.Send.Event,
		events:    stream.Send.Events,
		ptime:     stream.Ptime,
		direction: stream.Direction,
		mux:       stream.RTCPMux, // RFC 5761 §5.1.1: agreed by repeating it
		keys:      ours,
	}
	return write(local, lines), stream, nil
}

// choice is an audio line that can be had, with its codec and the peer's keys, if
// it is to be encrypted.
type choice struct {
	index int
	codec Codec
	keys  proposal
}

// choose returns the first audio line that can be had; one that can be encrypted
// goes before those that cannot.
func choose(d *Description, local Local, allowed []media.Codec, pick pick) (choice, error) {
	reason := "no audio"
	var found *choice
	for i := range d.Media {
		m := &d.Media[i]
		if m.Type != "audio" || m.Port == 0 {
			continue
		}
		keys, refusal := local.transport(m, pick)
		if refusal != "" {
			reason = refusal
			continue
		}
		codec, ok := m.pick(allowed)
		if !ok {
			reason = "no codec in common"
			continue
		}
		if keys.suite != 0 || !local.secures() {
			return choice{i, codec, keys}, nil
		}
		if found == nil {
			found = &choice{i, codec, keys}
		}
	}
	if found == nil {
		return choice{}, fmt.Errorf("%w: %.60s", ErrNotAcceptable, reason)
	}
	return *found, nil
}

// pick returns the line's payload type for the first law of allowed, and
// without allowed the first G.711 of the line.
func (m *Media) pick(allowed []media.Codec) (Codec, bool) {
	best, rank := Codec{}, -1
	for _, c := range m.Codecs {
		law, ok := c.g711()
		if !ok {
			continue
		}
		if len(allowed) == 0 {
			return c, true
		}
		if i := slices.Index(allowed, law); i >= 0 && (rank < 0 || i < rank) {
			best, rank = c, i
		}
	}
	return best, rank >= 0
}

// stream reads off the peer's line what concerns the chosen codec; Receive is
// left to the caller.
func (m *Media) stream(codec Codec, local Local) Stream {
	law, _ := codec.g711()
	s := Stream{
		Codec:   law,
		Send:    PayloadTypes{Audio: codec.Type},
		Ptime:   ptime(m, local.Ptime),
		Host:    m.Host,
		RTCPMux: m.RTCPMux,
	}
	for _, c := range m.Codecs {
		if c.event() {
			s.Send.Event, s.Send.Events = c.Type, true
			break
		}
	}
	offered := m.Direction
	if m.Addr.IsValid() && m.Addr.IsUnspecified() {
		// RFC 3264 §8.4: the hold of RFC 2543 is an address of zeros.
		offered = offered.And(SendOnly)
	} else if m.Addr.IsValid() {
		s.Remote = netip.AddrPortFrom(m.Addr, m.Port)
		s.RTCP = m.rtcpAddr()
	}
	// RFC 3264 §6.1: what one side may only send, the other may only receive.
	s.Direction = offered.Reverse().And(local.Direction)
	return s
}

// rtcpAddr returns where the line's side receives RTCP.
func (m *Media) rtcpAddr() netip.AddrPort {
	switch {
	case m.RTCPMux:
		return netip.AddrPortFrom(m.Addr, m.Port)
	case m.RTCP.IsValid():
		return m.RTCP
	case m.Port < 65535:
		return netip.AddrPortFrom(m.Addr, m.Port+1)
	}
	return netip.AddrPort{}
}
