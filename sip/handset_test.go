package sip_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/netip"
	"regexp"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/callgw/callgw/sip/siptest"
)

// handset is a phone's audio, encrypted (RFC 3711) or in the clear.
type handset struct {
	t       *testing.T
	sock    *siptest.Socket
	key     []byte        // its own; nil: it speaks in the clear only
	out, in *srtp.Context // nil: in the clear
	gateway netip.AddrPort
	next    rtp.Header
	began   time.Time
	raw     [][]byte      // what came, as it came
	held    time.Duration // how long the last key was pressed that came
}

const suite = srtp.ProtectionProfileAes128CmHmacSha1_80

// handset joins a phone's audio to the network. first distinguishes its key, 0 means
// that it has none.
func (r *rig) handset(addr string, first byte) *handset {
	h := &handset{t: r.t, sock: r.net.Listen(addr), began: time.Now(), next: rtp.Header{Version: 2, SSRC: uint32(first) + 7}}
	if first > 0 {
		h.key = make([]byte, 30)
		for i := range h.key {
			h.key[i] = first + byte(i)
		}
	}
	return h
}

// line is the attribute that tells its key (RFC 4568 §9.1).
func (h *handset) line(tag string) string {
	return "crypto:" + tag + " AES_CM_128_HMAC_SHA1_80 inline:" + base64.StdEncoding.EncodeToString(h.key)
}

var cryptoLine = regexp.MustCompile(`a=crypto:(\d+) AES_CM_128_HMAC_SHA1_80 inline:([A-Za-z0-9+/=]+)`)

// agree takes the gateway's key from its description, and returns its tag.
func (h *handset) agree(description string) (tag string) {
	h.t.Helper()
	m := cryptoLine.FindStringSubmatch(description)
	if m == nil {
		h.t.Fatalf("no key in\n%s", description)
	}
	theirs, err := base64.StdEncoding.DecodeString(m[2])
	if err != nil {
		h.t.Fatal(err)
	}
	context := func(key []byte) *srtp.Context {
		c, err := srtp.CreateContext(key[:16], key[16:], suite, srtp.SRTPReplayProtection(64))
		if err != nil {
			h.t.Fatal(err)
		}
		return c
	}
	h.out, h.in = context(h.key), context(theirs)
	return m[1]
}

// send sends one packet.
func (h *handset) send(kind uint8, payload []byte) {
	h.t.Helper()
	p := rtp.Packet{Header: h.next, Payload: payload}
	p.PayloadType = kind
	b, err := p.Marshal()
	if err == nil && h.out != nil {
		b, err = h.out.EncryptRTP(nil, b, nil)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	_, _ = h.sock.WriteToUDPAddrPort(b, h.gateway)
	h.next.SequenceNumber++
}

// tick makes the next packet's timestamp what the clock says.
func (h *handset) tick() { h.next.Timestamp = uint32(time.Since(h.began) * 8000 / time.Second) }

// say says n frames, 20 ms each, and returns what.
func (h *handset) say(n int) []byte {
	var said []byte
	for i := range n {
		frame := make([]byte, 160)
		for j := range frame {
			frame[j] = byte(i*7 + j)
		}
		said = append(said, frame...)
		h.tick()
		h.send(0, frame)
		time.Sleep(20 * time.Millisecond)
	}
	return said
}

// press presses a key for as many packets, 20 ms each (RFC 4733 §2.5.1).
func (h *handset) press(event byte, packets int) {
	h.tick()
	for i := range packets {
		duration := (i + 1) * 160
		end := byte(0)
		if i == packets-1 {
			end = 0x80
		}
		h.next.Marker = i == 0
		h.send(101, []byte{event, end | 10, byte(duration >> 8), byte(duration)})
		h.next.Marker = false
		time.Sleep(20 * time.Millisecond)
	}
}

// hear returns what has come since, deciphered: audio, and the keys that were pressed.
// h.held is for how long the last one was.
func (h *handset) hear() (audio []byte, keys string) {
	h.t.Helper()
	packets, source := drained(h.sock)
	if source.IsValid() {
		h.gateway = source
	}
	h.raw = packets
	last := uint32(0)
	for _, b := range packets {
		if h.in != nil {
			plain, err := h.in.DecryptRTP(nil, b, nil)
			if err != nil {
				h.t.Errorf("a packet that cannot be deciphered: %v", err)
				continue
			}
			b = plain
		}
		var p rtp.Packet
		if err := p.Unmarshal(b); err != nil {
			h.t.Errorf("no RTP: %v", err)
			continue
		}
		if p.PayloadType == 101 {
			h.held = time.Duration(binary.BigEndian.Uint16(p.Payload[2:])) * time.Second / 8000
		}
		switch {
		case p.PayloadType == 101 && (keys == "" || p.Timestamp != last):
			keys += fmt.Sprint(p.Payload[0])
			last = p.Timestamp
		case p.PayloadType == 0:
			audio = append(audio, p.Payload...)
		}
	}
	return audio, keys
}
