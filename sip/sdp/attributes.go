package sdp

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// lines is an m= line being read, with its attributes as they were written:
// a=rtpmap may follow or precede whatever else names its payload type.
type lines struct {
	Media
	rtpmap, fmtp map[string]string // by format
}

// sessionAttribute reads an a= line that stands before the first m= line.
func (m *Media) sessionAttribute(attribute string) {
	if d, ok := parseDirection(attribute); ok {
		m.Direction = d
	}
}

// attribute reads an a= line below m=. A value that makes no sense is passed
// over as an unknown attribute is (RFC 8866 §5.13).
func (l *lines) attribute(attribute string) {
	key, value, _ := strings.Cut(attribute, ":")
	value = strings.TrimSpace(value)
	switch key {
	case "rtpmap":
		put(&l.rtpmap, value)
	case "fmtp":
		put(&l.fmtp, value)
	case "ptime":
		l.Ptime = parsePtime(value)
	case "maxptime":
		l.MaxPtime = parsePtime(value)
	case "rtcp":
		l.rtcp(value)
	case "rtcp-mux":
		l.RTCPMux = true
	case "crypto":
		l.crypto(value)
	default:
		if d, ok := parseDirection(key); ok {
			l.Direction = d
		}
	}
}

// put notes the value of an attribute whose first word is a format. The first
// one counts.
func put(m *map[string]string, value string) {
	format, rest, _ := strings.Cut(value, " ")
	if *m == nil {
		*m = make(map[string]string)
	}
	if _, ok := (*m)[format]; !ok {
		(*m)[format] = strings.TrimSpace(rest)
	}
}

// parsePtime reads milliseconds, 0 when they are none. Some peers write them
// with a fraction.
func parsePtime(value string) time.Duration {
	ms, err := strconv.ParseFloat(value, 64)
	if err != nil || !(ms > 0 && ms <= 1000) {
		return 0
	}
	return time.Duration(ms * float64(time.Millisecond))
}

// rtcp reads RFC 3605 §2.1: <port> [IN IP4|IP6 <address>].
func (m *Media) rtcp(value string) {
	f := strings.Fields(value)
	if len(f) == 0 {
		return
	}
	port, err := strconv.ParseUint(f[0], 10, 16)
	if err != nil || port == 0 {
		return
	}
	// The address defaults to that of c=, which may yet follow: see resolve.
	addr := netip.Addr{}
	if len(f) == 4 {
		addr = parseAddr(f[3])
	}
	m.RTCP = netip.AddrPortFrom(addr, uint16(port))
}

// crypto reads RFC 4568 §9.1: <tag> <suite> <key-params> [<session-params>].
func (m *Media) crypto(value string) {
	f := strings.Fields(value)
	if len(f) < 3 {
		return
	}
	tag, err := strconv.ParseUint(f[0], 10, 31)
	if err != nil {
		return
	}
	m.Crypto = append(m.Crypto, Crypto{
		Tag:    int(tag),
		Suite:  f[1],
		Key:    f[2],
		Params: strings.Join(f[3:], " "),
	})
}

// resolve completes the line once all of it was read.
func (l *lines) resolve() {
	if port := l.RTCP.Port(); port != 0 && !l.RTCP.Addr().IsValid() {
		l.RTCP = netip.AddrPortFrom(l.Addr, port)
	}
	if !strings.HasPrefix(l.Proto, "RTP/") && !strings.Contains(l.Proto, "/RTP/") {
		return // formats of other transports are no payload types
	}
	for _, format := range l.Formats {
		pt, err := strconv.ParseUint(format, 10, 7)
		if err != nil {
			continue
		}
		c := Codec{Type: uint8(pt), Params: l.fmtp[format]}
		if encoding, ok := l.rtpmap[format]; ok {
			c.encoding(encoding)
		} else {
			c.static()
		}
		l.Codecs = append(l.Codecs, c)
	}
}

// encoding reads the second part of a=rtpmap (RFC 8866 §6.6):
// <name>/<clock rate>[/<channels>]. Names are compared in lower case.
func (c *Codec) encoding(value string) {
	part := strings.Split(value, "/")
	c.Name = strings.ToLower(strings.TrimSpace(part[0]))
	c.Channels = 1
	if len(part) > 1 {
		c.Clock, _ = strconv.Atoi(strings.TrimSpace(part[1]))
	}
	if len(part) > 2 {
		c.Channels, _ = strconv.Atoi(strings.TrimSpace(part[2]))
	}
}

// static names the payload types that need no a=rtpmap (RFC 3551 §6), as far
// as telephones use them.
func (c *Codec) static() {
	switch c.Type {
	case 0:
		c.Name = "pcmu"
	case 3:
		c.Name = "gsm"
	case 4:
		c.Name = "g723"
	case 8:
		c.Name = "pcma"
	case 9:
		c.Name = "g722"
	case 13:
		c.Name = "cn"
	case 18:
		c.Name = "g729"
	default:
		return
	}
	c.Clock, c.Channels = 8000, 1
}
