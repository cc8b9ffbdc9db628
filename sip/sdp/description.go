package sdp

import (
	"net/netip"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// Description is a session description, as far as a telephone needs it.
type Description struct {
	// Username, ID, Version and Address are those of o=. ID and Version are
	// text: peers send numbers beyond 64 bits.
	Username, ID, Version, Address string
	// Name is s=.
	Name string
	// Media are the m= lines in their order.
	Media []Media
}

// Media is one m= line with all that belongs to it; what stands at session
// level is filled in.
type Media struct {
	Type    string   // "audio", "video", "image", …
	Port    uint16   // 0: refused or switched off
	Proto   string   // "RTP/AVP", "RTP/SAVP", …
	Formats []string // the formats as written
	// Codecs describes the formats that are RTP payload types.
	Codecs []Codec
	// Host is the connection address; Addr the same when it is an IP address.
	Host string
	Addr netip.Addr
	// Direction is that of the describing side.
	Direction Direction
	// Ptime and MaxPtime are 0 when absent.
	Ptime, MaxPtime time.Duration
	// RTCP is the address of a=rtcp, not valid without.
	RTCP    netip.AddrPort
	RTCPMux bool
	// Crypto are the SDES offers (RFC 4568) of the line.
	Crypto []Crypto
}

// Codec is one RTP payload type of an m= line.
type Codec struct {
	Type     uint8
	Name     string // lower case, empty when neither mapped nor static
	Clock    int    // Hz
	Channels int
	Params   string // a=fmtp
}

// Crypto is one a=crypto line (RFC 4568 §4).
type Crypto struct {
	Tag    int
	Suite  string // as written, such as "AES_CM_128_HMAC_SHA1_80"
	Key    string // the key parameters, such as "inline:…"
	Params string // the session parameters, often empty
}

// Secure reports whether the line asks for SRTP.
func (m *Media) Secure() bool {
	return m.Proto == "RTP/SAVP" || m.Proto == "RTP/SAVPF" || m.Proto == "UDP/TLS/RTP/SAVP" || m.Proto == "UDP/TLS/RTP/SAVPF"
}

// g711 returns the law that the codec is, if it is one.
func (c Codec) g711() (media.Codec, bool) {
	if c.Clock != media.SampleRate || c.Channels > 1 {
		return 0, false
	}
	law, err := media.ParseCodec(c.Name)
	return law, err == nil
}

// event reports whether the codec is telephone-event on G.711's clock.
func (c Codec) event() bool {
	return c.Name == "telephone-event" && c.Clock == media.SampleRate
}
