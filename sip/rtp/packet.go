package rtp

import "encoding/binary"

// headerBytes is the length of a header without contributors or extension.
const headerBytes = 12

// maxPayload is the longest payload sent: 60 ms.
const maxPayload = 480

// packet is a received packet; its payload lies in the buffer it was read into.
type packet struct {
	marker    bool
	kind      uint8 // payload type
	sequence  uint16
	timestamp uint32
	ssrc      uint32
	payload   []byte
}

// parse reads a packet in place (RFC 3550 §5.1) and makes sure that what its
// header announces is there (§A.1).
//
//	 0                   1                   2                   3
//	|V=2|P|X|  CC   |M|     PT      |       sequence number         |
//	|                           timestamp                           |
//	|           synchronization source (SSRC) identifier            |
//	|            contributing source (CSRC) identifiers …           |
func parse(b []byte) (packet, bool) {
	if len(b) < headerBytes || b[0]>>6 != 2 {
		return packet{}, false
	}
	p := packet{
		marker:    b[1]&0x80 != 0,
		kind:      b[1] & 0x7F,
		sequence:  binary.BigEndian.Uint16(b[2:]),
		timestamp: binary.BigEndian.Uint32(b[4:]),
		ssrc:      binary.BigEndian.Uint32(b[8:]),
	}
	padded, extended := b[0]&0x20 != 0, b[0]&0x10 != 0
	at := headerBytes + 4*int(b[0]&0x0F)
	if extended {
		// RFC 3550 §5.3.1: 16 bits of anything, then the length in words.
		if len(b) < at+4 {
			return packet{}, false
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	if len(b) < at {
		return packet{}, false
	}
	p.payload = b[at:]
	if padded {
		// RFC 3550 §5.1: the last octet counts the padding, itself included.
		if len(p.payload) == 0 {
			return packet{}, false
		}
		n := int(p.payload[len(p.payload)-1])
		if n == 0 || n > len(p.payload) {
			return packet{}, false
		}
		p.payload = p.payload[:len(p.payload)-n]
	}
	return p, true
}

// isRTCP reports whether b is an RTCP packet on the RTP port: with its marker
// bit, a payload type from 64 to 95 is one of RTCP's (RFC 5761 §4).
func isRTCP(b []byte) bool {
	return len(b) >= 8 && b[0]>>6 == 2 && 192 <= b[1] && b[1] <= 223
}

// putHeader writes a header of headerBytes to b.
func putHeader(b []byte, marker bool, kind uint8, sequence uint16, timestamp, ssrc uint32) {
	b[0] = 2 << 6
	b[1] = kind & 0x7F
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], sequence)
	binary.BigEndian.PutUint32(b[4:], timestamp)
	binary.BigEndian.PutUint32(b[8:], ssrc)
}
