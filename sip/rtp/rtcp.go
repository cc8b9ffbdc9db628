package rtp

import (
	"encoding/binary"
	"time"
)

// The packet types of RTCP (RFC 3550 §12.1).
const (
	senderReport      = 200
	receiverReport    = 201
	sourceDescription = 202
	goodbye           = 203
)

// Lengths of its parts (RFC 3550 §6.4).
const (
	reportHeader = 8
	senderBytes  = 20
	blockBytes   = 24
)

// block is a report block (RFC 3550 §6.4.1).
//
//	|                             SSRC                              |
//	| fraction lost |       cumulative number of packets lost       |
//	|           extended highest sequence number received           |
//	|                      interarrival jitter                      |
//	|                         last SR (LSR)                         |
//	|                   delay since last SR (DLSR)                  |
type block struct {
	ssrc     uint32
	fraction uint8 // of 256
	lost     int32 // 24 bits
	highest  uint32
	jitter   uint32 // samples
	lsr      uint32 // the middle 32 bits of an NTP time
	dlsr     uint32 // in 1/65536 s
}

func (b block) append(to []byte) []byte {
	const most = 1<<23 - 1
	to = binary.BigEndian.AppendUint32(to, b.ssrc)
	lost := uint32(max(min(b.lost, most), -most-1)) & 0xFFFFFF
	to = binary.BigEndian.AppendUint32(to, uint32(b.fraction)<<24|lost)
	to = binary.BigEndian.AppendUint32(to, b.highest)
	to = binary.BigEndian.AppendUint32(to, b.jitter)
	to = binary.BigEndian.AppendUint32(to, b.lsr)
	return binary.BigEndian.AppendUint32(to, b.dlsr)
}

func parseBlock(b []byte) block {
	word := binary.BigEndian.Uint32(b[4:])
	return block{
		ssrc:     binary.BigEndian.Uint32(b),
		fraction: uint8(word >> 24),
		lost:     int32(word<<8) >> 8, // with its sign
		highest:  binary.BigEndian.Uint32(b[8:]),
		jitter:   binary.BigEndian.Uint32(b[12:]),
		lsr:      binary.BigEndian.Uint32(b[16:]),
		dlsr:     binary.BigEndian.Uint32(b[20:]),
	}
}

// report is a compound packet, as far as it is of use here.
type report struct {
	ssrc uint32 // of who reports
	// Of a sender.
	sender          bool
	ntp             uint64 // the time of the report (RFC 3550 §4)
	timestamp       uint32 // the same in RTP's clock
	packets, octets uint32
	// blocks holds what is said of one stream, when about.
	about bool
	block block
}

// append writes the report as a compound packet: SR or RR, the reporter's name and,
// with bye, its farewell (RFC 3550 §6.1).
func (r *report) append(to []byte, cname string, bye bool) []byte {
	kind, words, count := byte(receiverReport), 1, byte(0)
	if r.sender {
		kind, words = senderReport, words+senderBytes/4
	}
	if r.about {
		words, count = words+blockBytes/4, 1
	}
	to = append(to, 2<<6|count, kind, 0, byte(words))
	to = binary.BigEndian.AppendUint32(to, r.ssrc)
	if r.sender {
		to = binary.BigEndian.AppendUint64(to, r.ntp)
		to = binary.BigEndian.AppendUint32(to, r.timestamp)
		to = binary.BigEndian.AppendUint32(to, r.packets)
		to = binary.BigEndian.AppendUint32(to, r.octets)
	}
	if r.about {
		to = r.block.append(to)
	}
	// RFC 3550 §6.5: the item, a zero that ends the list, zeros up to the word.
	item := 2 + len(cname) + 1
	pad := (4 - item%4) % 4
	to = append(to, 2<<6|1, sourceDescription, 0, byte(1+(item+pad)/4))
	to = binary.BigEndian.AppendUint32(to, r.ssrc)
	to = append(to, 1, byte(len(cname))) // CNAME
	to = append(to, cname...)
	to = append(to, 0, 0, 0, 0)[:len(to)+1+pad]
	if bye {
		to = append(to, 2<<6|1, goodbye, 0, 1)
		to = binary.BigEndian.AppendUint32(to, r.ssrc)
	}
	return to
}

// parseReport reads a compound packet and what it says of the stream ours. It
// checks what RFC 3550 §A.2 asks for; what it does not know it passes over.
func parseReport(b []byte, ours uint32) (r report, ok bool) {
	for first := true; len(b) > 0; first = false {
		if len(b) < reportHeader/2 || b[0]>>6 != 2 {
			return report{}, false
		}
		kind, count := b[1], int(b[0]&0x1F)
		size := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
		if size > len(b) {
			return report{}, false
		}
		if first && (kind != senderReport && kind != receiverReport || b[0]&0x20 != 0) {
			return report{}, false
		}
		if kind == senderReport || kind == receiverReport {
			if !r.part(b[:size], kind == senderReport, count, ours) {
				return report{}, false
			}
		}
		b = b[size:]
		ok = true
	}
	return r, ok
}

// part reads one SR or RR.
func (r *report) part(b []byte, sender bool, count int, ours uint32) bool {
	at := reportHeader
	if sender {
		at += senderBytes
	}
	if len(b) < at+count*blockBytes {
		return false
	}
	r.ssrc = binary.BigEndian.Uint32(b[4:])
	if sender {
		r.sender = true
		r.ntp = binary.BigEndian.Uint64(b[8:])
		r.timestamp = binary.BigEndian.Uint32(b[16:])
		r.packets = binary.BigEndian.Uint32(b[20:])
		r.octets = binary.BigEndian.Uint32(b[24:])
	}
	for ; count > 0; count, at = count-1, at+blockBytes {
		if binary.BigEndian.Uint32(b[at:]) == ours {
			r.about, r.block = true, parseBlock(b[at:])
		}
	}
	return true
}

// ntpEpoch is how many seconds NTP's time is ahead of Unix' (RFC 5905 §6).
const ntpEpoch = 2208988800

// ntp returns t as an NTP timestamp: seconds and 2^-32 seconds.
func ntp(t time.Time) uint64 {
	return uint64(t.Unix()+ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// middle returns the middle 32 bits of an NTP timestamp, which LSR holds.
func middle(ntp uint64) uint32 { return uint32(ntp >> 16) }

// fixed returns d in 1/65536 s, fromFixed the duration that is so much.
func fixed(d time.Duration) uint32     { return uint32(d * 65536 / time.Second) }
func fromFixed(n uint32) time.Duration { return time.Duration(n) * time.Second / 65536 }
