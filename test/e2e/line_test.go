package e2e_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/sip/siptest"
)

// line is a SIP phone made of packets: it shares no code with the gateway's own
// user agent and RTP, and sees every packet as it was on the wire.
type line struct {
	t      *testing.T
	sip    *siptest.Peer
	dialog *siptest.Dialog
	codec  media.Codec
	bad    network
	rtp    *net.UDPConn
	to     netip.AddrPort
	stop   chan struct{}
	once   sync.Once
	wg     sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and replaced with every packet
	packets []packet
	pending []byte
	spoken  int           // bytes of what was to be said that are sent
	longest time.Duration // between two packets of ours
}

// packet is one RTP packet from the gateway.
type packet struct {
	at        time.Time
	kind      uint8
	marker    bool
	sequence  uint16
	timestamp uint32
	ssrc      uint32
	payload   []byte
}

type lineConfig struct {
	codec   media.Codec
	network network // nil: a good one
}

// network is what the phone's packets go through: how long each copy of the packet
// takes that carries what is said from that byte on.
type network func(spoken int) (delays []time.Duration)

// dialLine makes a phone that has not called yet.
func dialLine(t *testing.T, g *Gateway, cfg lineConfig) *line {
	t.Helper()
	signalling, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newLine(t, siptest.NewPeer(t, signalling, g.SIP()), cfg)
	l.dialog = l.sip.Call()
	return l
}

// newLine makes a phone that is called, at a peer.
func newLine(t *testing.T, p *siptest.Peer, cfg lineConfig) *line {
	t.Helper()
	audio, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	l := &line{
		t: t, sip: p, codec: cfg.codec, bad: cfg.network, rtp: audio,
		stop: make(chan struct{}), changed: make(chan struct{}),
	}
	l.wg.Go(l.listen)
	t.Cleanup(func() {
		l.hush()
		_ = audio.Close()
		l.wg.Wait()
	})
	return l
}

// call places a call that is answered, and sends audio from then on: silence
// while nothing is to be said.
func call(t *testing.T, g *Gateway, cfg lineConfig) *line {
	t.Helper()
	l := dialLine(t, g, cfg)
	l.answered(l.dialog.Establish(l.offer())) // rings first, however fast it is
	return l
}

// offer is SDP for the phone's only codec.
func (l *line) offer() string { return l.describe(strconv.Itoa(int(l.codec.PayloadType()))) }

// describe is SDP for these formats.
func (l *line) describe(formats string) string {
	port := l.rtp.LocalAddr().(*net.UDPAddr).Port
	return siptest.SDPWith("127.0.0.1", port, formats+" 101", "rtpmap:101 telephone-event/8000", "ptime:20")
}

var mediaLine = regexp.MustCompile(`(?m)^m=audio (\d+) RTP/AVP (\d+)`)

// answered takes the 200.
func (l *line) answered(ok siptest.Message) {
	l.t.Helper()
	m := mediaLine.FindStringSubmatch(ok.Raw)
	if m == nil || m[2] != strconv.Itoa(int(l.codec.PayloadType())) {
		l.t.Fatalf("the answer does not take the codec offered:\n%s", ok.Raw)
	}
	l.reaches(ok)
}

// reaches makes the phone speak to whom a message of the gateway describes.
func (l *line) reaches(theirs siptest.Message) {
	l.t.Helper()
	m := mediaLine.FindStringSubmatch(theirs.Raw)
	if m == nil {
		l.t.Fatalf("no audio in\n%s", theirs.Raw)
	}
	port, err := strconv.ParseUint(m[1], 10, 16)
	if err != nil {
		l.t.Fatal(err)
	}
	l.to = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
	l.wg.Go(l.speak)
}

// bye hangs up.
func (l *line) bye() {
	l.t.Helper()
	l.dialog.Request("BYE")
	l.sip.Skip("200 BYE")
	l.hush()
}

// hush stops sending.
func (l *line) hush() { l.once.Do(func() { close(l.stop) }) }

// speak sends a packet every 20 ms, on an absolute schedule and never skipping.
func (l *line) speak() {
	const first = 0xFFFFFF00 // wraps soon
	frame := make([]byte, 12+media.FrameBytes)
	frame[0] = 0x80
	binary.BigEndian.PutUint32(frame[8:], 0x1DEA)
	began, last := time.Now(), time.Time{}
	for n := uint32(0); ; n++ {
		wait := time.NewTimer(time.Until(began.Add(time.Duration(n) * media.FrameDuration)))
		select {
		case <-wait.C:
		case <-l.stop:
			wait.Stop()
			return
		}
		binary.BigEndian.PutUint16(frame[2:], uint16(0xFFF0+n))
		binary.BigEndian.PutUint32(frame[4:], first+n*media.FrameBytes)
		l.mu.Lock()
		frame[1] = l.codec.PayloadType()
		said := copy(frame[12:], l.pending)
		l.pending = l.pending[said:]
		l.codec.FillSilence(frame[12+said:])
		now := time.Now()
		if !last.IsZero() && said > 0 {
			l.longest = max(l.longest, now.Sub(last))
		}
		last = now
		l.mu.Unlock()
		if err := l.transmit(frame, said); err != nil {
			return // the gateway has hung up, or the test is over
		}
		if said > 0 {
			l.mu.Lock()
			l.spoken += said
			l.signal()
			l.mu.Unlock()
		}
	}
}

// transmit sends a packet that carries so many bytes of what is to be said.
func (l *line) transmit(packet []byte, said int) error {
	if l.bad == nil || said == 0 {
		_, err := l.rtp.WriteToUDPAddrPort(packet, l.to)
		return err
	}
	for _, delay := range l.bad(l.spoken) { // which speak alone changes
		later := bytes.Clone(packet)
		time.AfterFunc(delay, func() { _, _ = l.rtp.WriteToUDPAddrPort(later, l.to) }) // the call may be over
	}
	return nil
}

// turn makes the phone speak another codec from now on.
func (l *line) turn(codec media.Codec) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.codec = codec
}

// say queues audio in the phone's codec.
func (l *line) say(audio []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, audio...)
}

// listen takes what comes until the socket is closed.
func (l *line) listen() {
	buffer := make([]byte, 2048)
	for {
		n, err := l.rtp.Read(buffer)
		if err != nil {
			return
		}
		if n < 12 || 200 <= buffer[1] && buffer[1] <= 207 {
			continue // RTCP, or nothing
		}
		l.mu.Lock()
		l.packets = append(l.packets, packet{
			at: time.Now(), kind: buffer[1] & 0x7F, marker: buffer[1]&0x80 != 0,
			sequence:  binary.BigEndian.Uint16(buffer[2:]),
			timestamp: binary.BigEndian.Uint32(buffer[4:]),
			ssrc:      binary.BigEndian.Uint32(buffer[8:]),
			payload:   bytes.Clone(buffer[12:n]),
		})
		l.signal()
		l.mu.Unlock()
	}
}

func (l *line) signal() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// heard returns the packets so far, which loopback does not reorder.
func (l *line) heard() []packet {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]packet(nil), l.packets...)
}

// until waits until enough, called under the lock, says so.
func (l *line) until(limit time.Duration, what string, enough func() bool) {
	l.t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		l.mu.Lock()
		ok, changed := enough(), l.changed
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			l.t.Fatalf("waited %v for %s", limit, what)
		}
	}
}

// silent tells whether a packet's payload is silence.
func (l *line) silent(p packet) bool {
	silence := make([]byte, len(p.payload))
	l.codec.FillSilence(silence)
	return bytes.Equal(p.payload, silence)
}
