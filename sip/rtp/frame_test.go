package rtp

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/sdp"
)

// void takes everything and says 20 ms each time.
type void struct{ frames int }

func (v *void) Frame([]byte)         { v.frames++ }
func (*void) Digit(media.Digit)      {}
func (*void) Hold(bool)              {}
func (*void) Next(p []byte) int      { return len(p) }
func (*void) Ready() <-chan struct{} { return nil }
func (*void) Heard(int64)            {}

func (*void) ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error) {
	return 0, netip.AddrPort{}, nil
}

func (*void) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	return len(b), nil
}
func (*void) SetReadDeadline(time.Time) error { return nil }

func settled() sdp.Stream {
	types := sdp.PayloadTypes{Audio: 0, Event: 101, Events: true}
	laws := []sdp.Law{{Codec: media.PCMU}, {Codec: media.PCMA, Send: 8, Receive: 8}}
	return sdp.Stream{Laws: laws, Send: types, Receive: types, Ptime: media.FrameDuration, Remote: netip.MustParseAddrPort("127.0.0.1:4000")}
}

// inbound is a receiver with a peer that never stops.
type inbound struct {
	r   *receiver
	now time.Time
	b   [headerBytes + media.FrameBytes]byte
	n   uint16

	kind uint8 // of the next packet
	law  media.Codec
}

func newInbound() *inbound {
	v := &void{}
	count := &counters{}
	cfg := &Config{Conn: v, Uplink: v, Downlink: v, Timeout: DefaultTimeout}
	in := &inbound{r: newReceiver(cfg, count, newReports(cfg, count, newSender(cfg, count))), now: time.Now()}
	in.r.law = func(law media.Codec) { in.law = law }
	in.r.update(in.now, settled())
	in.r.start(in.now)
	return in
}

// packet receives the next packet, step packets after the last one.
func (in *inbound) packet(step uint16) {
	in.n += step
	in.now = in.now.Add(media.FrameDuration)
	putHeader(in.b[:], false, in.kind, in.n, uint32(in.n)*media.FrameBytes, 1)
	in.r.receive(in.now, in.r.stream.Remote, in.b[:])
	in.r.expire(in.now)
}

func TestFramesAllocateNothing(t *testing.T) {
	in := newInbound()
	s := newSender(&Config{Conn: &void{}, Downlink: &void{}, Stream: settled()}, &counters{})
	for range 100 { // buffers of held packets grow once
		in.packet(2)
		in.packet(^uint16(0))
		in.packet(2)
	}
	for _, test := range []struct {
		name string
		run  func()
	}{
		{"in order", func() { in.packet(1) }},
		{"another law each time", func() { in.kind ^= 8; in.packet(1) }},
		{"reordered", func() { in.packet(2); in.packet(^uint16(0)); in.packet(2) }},
		{"lost", func() { in.packet(2); in.packet(1); in.packet(1) }},
		{"silence", func() { in.now = in.now.Add(media.FrameDuration); in.r.expire(in.now) }},
		{"event", func() {
			binary.BigEndian.PutUint32(in.b[12:], 0x050A00A0)
			putHeader(in.b[:], false, 101, in.n, 5, 1)
			in.r.receive(in.now, in.r.stream.Remote, in.b[:16])
		}},
		{"rejected", func() { in.r.receive(in.now, netip.AddrPort{}, in.b[:]) }},
		{"malformed", func() { in.r.receive(in.now, netip.AddrPort{}, in.b[:3]) }},
		{"sent", func() { s.Tick(0) }},
	} {
		if n := testing.AllocsPerRun(500, test.run); n != 0 {
			t.Errorf("%s: %v allocations", test.name, n)
		}
	}
	if in.law != media.PCMA { // after an odd number of changes
		t.Error("the law did not change")
	}
	if s.count.sent.Load() == 0 || in.r.count.received.Load() < 1000 {
		t.Error("nothing was measured")
	}
}

func BenchmarkReceive(b *testing.B) {
	in := newInbound()
	b.ReportAllocs()
	for b.Loop() {
		in.packet(1)
	}
}

func BenchmarkSend(b *testing.B) {
	s := newSender(&Config{Conn: &void{}, Downlink: &void{}, Stream: settled()}, &counters{})
	b.ReportAllocs()
	for b.Loop() {
		s.Tick(0)
	}
}

// BenchmarkSocketReceive is the reader's whole loop on a socket.
func BenchmarkSocketReceive(b *testing.B) {
	ports, err := NewPorts(PortsConfig{Address: netip.MustParseAddr("127.0.0.1")})
	if err != nil {
		b.Fatal(err)
	}
	pair, err := ports.Open()
	if err != nil {
		b.Fatal(err)
	}
	defer pair.Close()
	v := &void{}
	s := NewSession(Config{Conn: pair, Uplink: v, Downlink: v, Stream: settled()})
	s.catchUp()
	s.receiver.start(time.Now())
	s.kicked.Store(false)
	buffer := make([]byte, maxDatagram)
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), pair.Port())
	var packet [headerBytes + media.FrameBytes]byte
	n := uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		n++
		putHeader(packet[:], false, 0, uint16(n), n*media.FrameBytes, 1)
		if _, err := pair.WriteToUDPAddrPort(packet[:], to); err != nil {
			b.Fatal(err)
		}
		if err := pair.SetReadDeadline(s.receiver.deadline()); err != nil {
			b.Fatal(err)
		}
		if err := s.next(buffer); err != nil {
			b.Fatal(err)
		}
	}
	if v.frames < b.N {
		b.Errorf("%d frames of %d packets", v.frames, b.N)
	}
}

// encrypted returns settled with keys, and the peer's sealer.
func encrypted(tb testing.TB, suite string, bytes int) (sdp.Stream, *sealer) {
	tb.Helper()
	offer, err := sdp.Parse(fmt.Appendf(nil, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/SAVP 0 101\r\n"+
		"a=rtpmap:101 telephone-event/8000\r\na=crypto:1 %s inline:%s\r\n", suite, base64.StdEncoding.EncodeToString(make([]byte, bytes))))
	if err != nil {
		tb.Fatal(err)
	}
	_, s, err := sdp.Answer(offer, sdp.Local{SRTP: sdp.SRTPRequired, Secret: sdp.NewSecret()})
	if err != nil {
		tb.Fatal(err)
	}
	peer := &sealer{}
	peer.rekey(sdp.Security{Suite: s.Security.Suite, Send: s.Security.Receive})
	return s, peer
}

var ciphers = map[string]int{
	"AES_CM_128_HMAC_SHA1_80": 30, "AES_CM_128_HMAC_SHA1_32": 30, "AES_256_CM_HMAC_SHA1_80": 46,
	"AEAD_AES_128_GCM": 28, "AEAD_AES_256_GCM": 44,
}

// secure is inbound with a peer that encrypts.
func secure(tb testing.TB, suite string) (receive func(), send func(), in *inbound) {
	tb.Helper()
	stream, peer := encrypted(tb, suite, ciphers[suite])
	in = newInbound()
	in.r.update(in.now, stream)
	s := newSender(&Config{Conn: &void{}, Downlink: &void{}, Stream: stream}, &counters{})
	var b [headerBytes + media.FrameBytes + overhead]byte
	receive = func() {
		in.n++
		in.now = in.now.Add(media.FrameDuration)
		putHeader(b[:], false, 0, in.n, uint32(in.n)*media.FrameBytes, 1)
		sealed, ok := peer.rtp(b[:headerBytes+media.FrameBytes])
		if !ok {
			tb.Fatal("not sealed")
		}
		in.r.receive(in.now, in.r.stream.Remote, sealed)
	}
	return receive, func() { s.Tick(0) }, in
}

func TestEncryptedFramesAllocateNothing(t *testing.T) {
	if raced {
		t.Skip("pion's sync.Pool does not keep what it is given")
	}
	for suite := range ciphers {
		receive, send, in := secure(t, suite)
		receive()
		forge := func() {
			putHeader(in.b[:], false, 0, in.n+1, 7, 1)
			in.r.receive(in.now, in.r.stream.Remote, in.b[:])
		}
		for _, test := range []struct {
			name string
			run  func()
			aead float64 // pion wraps the error of AEAD
		}{{"received", receive, 0}, {"sent", send, 0}, {"forged", forge, 4}} {
			if n := testing.AllocsPerRun(500, test.run); n > 0 && (n > test.aead || !strings.HasPrefix(suite, "AEAD")) {
				t.Errorf("%s, %s: %v allocations", suite, test.name, n)
			}
		}
		if c := in.r.count; c.received.Load() < 500 || c.rejected[Auth].Load() < 500 {
			t.Errorf("%s: nothing was measured", suite)
		}
	}
}

func BenchmarkSealAndReceiveEncrypted(b *testing.B) {
	for suite := range ciphers {
		b.Run(suite, func(b *testing.B) {
			receive, _, _ := secure(b, suite)
			b.ReportAllocs()
			for b.Loop() {
				receive()
			}
		})
	}
}

func BenchmarkSendEncrypted(b *testing.B) {
	for suite := range ciphers {
		b.Run(suite, func(b *testing.B) {
			_, send, _ := secure(b, suite)
			b.ReportAllocs()
			for b.Loop() {
				send()
			}
		})
	}
}

// BenchmarkSweep is a session's part of one sweep: nothing came, nothing is due.
func BenchmarkSweep(b *testing.B) {
	ports, err := NewPorts(PortsConfig{Address: netip.MustParseAddr("127.0.0.1")})
	if err != nil {
		b.Fatal(err)
	}
	pair, err := ports.Open()
	if err != nil {
		b.Fatal(err)
	}
	defer pair.Close()
	v := &void{}
	s := NewSession(Config{Conn: pair, Uplink: v, Downlink: v, Stream: settled(), Reporter: NewReporter()})
	s.reports.due = time.Now().Add(time.Hour)
	buffer := make([]byte, maxDatagram)
	b.ReportAllocs()
	for b.Loop() {
		s.reports.sweep(time.Now(), buffer)
	}
}
