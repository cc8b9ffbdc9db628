package rtp

import (
	"encoding/binary"
	"net/netip"
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
	return sdp.Stream{Send: types, Receive: types, Ptime: media.FrameDuration, Remote: netip.MustParseAddrPort("127.0.0.1:4000")}
}

// inbound is a receiver with a peer that never stops.
type inbound struct {
	r   *receiver
	now time.Time
	b   [headerBytes + media.FrameBytes]byte
	n   uint16
}

func newInbound() *inbound {
	v := &void{}
	count := &counters{}
	cfg := &Config{Conn: v, Uplink: v, Downlink: v, Timeout: DefaultTimeout}
	in := &inbound{r: newReceiver(cfg, count, newReports(cfg, count, newSender(cfg, count))), now: time.Now()}
	in.r.update(in.now, settled())
	in.r.start(in.now)
	return in
}

// packet receives the next packet, step packets after the last one.
func (in *inbound) packet(step uint16) {
	in.n += step
	in.now = in.now.Add(media.FrameDuration)
	putHeader(in.b[:], false, 0, in.n, uint32(in.n)*media.FrameBytes, 1)
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
