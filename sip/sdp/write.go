package sdp

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	pion "github.com/pion/sdp/v3"

	"github.com/callgw/callgw/bridge/media"
)

// line is one m= line to write.
type line struct {
	kind, proto string
	port        uint16
	formats     []string // of a refused line, as they were offered
	codecs      []coded
	event       uint8
	events      bool
	ptime       time.Duration
	direction   Direction
	mux         bool       // a=rtcp-mux
	keys        []proposal // a=crypto
}

// coded is a payload type with its codec.
type coded struct {
	pt    uint8
	codec Codec
}

// refusal returns the line that refuses m (RFC 3264 §6): port 0, and the
// formats as they came. There must be one, even where the peer named none.
func refusal(m Media) line {
	l := line{kind: m.Type, proto: m.Proto, formats: m.Formats}
	if len(l.formats) == 0 {
		l.formats = []string{"0"}
	}
	return l
}

// write serialises a description of this side.
func write(local Local, lines []line) []byte {
	d := pion.SessionDescription{
		Origin: pion.Origin{
			Username:       "-",
			SessionID:      local.Origin.ID,
			SessionVersion: local.Origin.Version,
			NetworkType:    "IN",
			AddressType:    family(local.Address),
			UnicastAddress: local.Address.String(),
		},
		SessionName: "callgw",
		ConnectionInformation: &pion.ConnectionInformation{
			NetworkType: "IN",
			AddressType: family(local.Address),
			Address:     &pion.Address{Address: local.Address.String()},
		},
		// RFC 3264 §5: a session that is not bounded in time.
		TimeDescriptions: []pion.TimeDescription{{}},
	}
	for _, l := range lines {
		d.MediaDescriptions = append(d.MediaDescriptions, l.describe())
	}
	body, _ := d.Marshal() // the error is in pion's signature only
	return body
}

func (l line) describe() *pion.MediaDescription {
	m := &pion.MediaDescription{MediaName: pion.MediaName{
		Media:   l.kind,
		Port:    pion.RangedPort{Value: int(l.port)},
		Protos:  strings.Split(l.proto, "/"),
		Formats: l.formats,
	}}
	if len(l.codecs) == 0 {
		return m
	}
	for _, c := range l.codecs {
		m.WithCodec(c.pt, strings.ToUpper(c.codec.Name), media.SampleRate, 0, "")
	}
	if l.events {
		// RFC 4733 §2.4.1: the keys of a telephone are events 0 to 15.
		m.WithCodec(l.event, "telephone-event", media.SampleRate, 0, "0-15")
	}
	m.WithValueAttribute("ptime", strconv.FormatInt(l.ptime.Milliseconds(), 10))
	m.WithPropertyAttribute(l.direction.String())
	if l.mux {
		m.WithPropertyAttribute("rtcp-mux")
	}
	for _, p := range l.keys {
		m.WithValueAttribute("crypto", p.attribute())
	}
	return m
}

func family(a netip.Addr) string {
	if a.Is6() && !a.Is4In6() {
		return "IP6"
	}
	return "IP4"
}
