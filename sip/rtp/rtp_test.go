package rtp_test

import (
	"context"
	"encoding/binary"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/pacer"
	"github.com/callgw/callgw/sip/rtp"
	"github.com/callgw/callgw/sip/sdp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	signalled = netip.MustParseAddrPort("198.51.100.7:4000")
	elsewhere = netip.MustParseAddrPort("198.51.100.9:4444")
	stranger  = netip.MustParseAddrPort("203.0.113.66:9999")
)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// datagram is a packet on its way, with the other end's address.
type datagram struct {
	addr netip.AddrPort
	b    []byte
	at   time.Time
}

// wire is a Conn whose other end is the test. Its deadlines are timers, so that
// it lives in synctest's time.
type wire struct {
	in     chan datagram
	mu     sync.Mutex
	sent   []datagram
	expire chan struct{} // closed when the deadline is reached
	timer  *time.Timer
	closed chan struct{}
}

func newWire() *wire {
	return &wire{in: make(chan datagram, 1024), expire: make(chan struct{}), closed: make(chan struct{})}
}

func (w *wire) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	w.mu.Lock()
	expire := w.expire
	w.mu.Unlock()
	select { // as a socket's, a read past its deadline fails even with packets there
	case <-w.closed:
		return 0, netip.AddrPort{}, os.ErrClosed
	case <-expire:
		return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
	default:
	}
	select {
	case <-w.closed:
		return 0, netip.AddrPort{}, os.ErrClosed
	case d := <-w.in:
		return copy(b, d.b), d.addr, nil
	case <-expire:
		return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
	}
}

// SetReadDeadline replaces the deadline; a pending read of the old one goes on
// until it, or at once when the new one has passed.
func (w *wire) SetReadDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	select {
	case <-w.expire:
		w.expire = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return nil
	}
	expire := w.expire
	if d := time.Until(t); d > 0 {
		w.timer = time.AfterFunc(d, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.expire == expire {
				select {
				case <-expire:
				default:
					close(expire)
				}
			}
		})
	} else {
		close(expire)
	}
	return nil
}

func (w *wire) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, datagram{to, append([]byte(nil), b...), time.Now()})
	return len(b), nil
}

// packets returns what was sent since the last call.
func (w *wire) packets() []datagram {
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := w.sent
	w.sent = nil
	return sent
}

func (d datagram) marker() bool      { return d.b[1]&0x80 != 0 }
func (d datagram) kind() uint8       { return d.b[1] & 0x7F }
func (d datagram) sequence() uint16  { return binary.BigEndian.Uint16(d.b[2:]) }
func (d datagram) timestamp() uint32 { return binary.BigEndian.Uint32(d.b[4:]) }
func (d datagram) payload() []byte   { return d.b[12:] }

// phone is the bridge's side: it keeps what comes up and plays what it is given.
type phone struct {
	mu     sync.Mutex
	up     []byte
	frames []int
	digits []media.Digit
	held   []time.Duration // for how long each key was, once it is released
	holds  []bool
	down   []byte
}

func (p *phone) Frame(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up = append(p.up, b...)
	p.frames = append(p.frames, len(b))
}

func (p *phone) Digit(d media.Digit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.digits = append(p.digits, d)
}

func (p *phone) Released(d media.Digit, held time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.held) >= len(p.digits) || p.digits[len(p.held)] != d {
		panic("a key was released that is not pressed")
	}
	p.held = append(p.held, held)
}

// released returns for how long each key was pressed.
func (p *phone) released() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Duration(nil), p.held...)
}

func (p *phone) Hold(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holds = append(p.holds, on)
}

func (p *phone) Next(b []byte) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := copy(b, p.down)
	p.down = p.down[n:]
	return n
}

func (*phone) Ready() <-chan struct{} { return nil }
func (*phone) Heard(int64)            {}

func (p *phone) say(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = append(p.down, b...)
}

// heard returns the uplink's audio so far.
func (p *phone) heard() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]byte(nil), p.up...)
}

func (p *phone) pressed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := ""
	for _, d := range p.digits {
		s += d.String()
	}
	return s
}

// stream is what SDP settled in most tests.
func stream() sdp.Stream {
	types := sdp.PayloadTypes{Audio: 0, Event: 101, Events: true}
	return sdp.Stream{Codec: media.PCMU, Send: types, Receive: types, Ptime: ms(20), Remote: signalled}
}

// call is a session on a wire.
type call struct {
	*rtp.Session
	*phone
	wire   *wire
	cancel context.CancelFunc
	done   chan error
}

// dial runs a session, in the test's bubble, until the test ends.
func dial(t *testing.T, change func(*rtp.Config)) *call {
	t.Helper()
	c := &call{phone: &phone{}, wire: newWire(), done: make(chan error, 1)}
	p := pacer.New(pacer.Config{Shards: 1})
	cfg := rtp.Config{Conn: c.wire, Stream: stream(), Uplink: c.phone, Downlink: c.phone, Pacer: p}
	if change != nil {
		change(&cfg)
	}
	c.Session = rtp.NewSession(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	var running sync.WaitGroup
	running.Go(func() { _ = cfg.Pacer.Run(ctx) })
	running.Go(func() { c.done <- c.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		_ = c.wire.SetReadDeadline(time.Time{})
		if n := cfg.Pacer.Tasks(); n != 0 {
			t.Errorf("%d tasks left in the pacer", n)
		}
	})
	return c
}

// peer makes the packets of one stream.
type peer struct {
	call      *call
	from      netip.AddrPort
	ssrc      uint32
	kind      uint8
	sequence  uint16
	timestamp uint32
	marker    bool
}

func (c *call) peer() *peer {
	return &peer{call: c, from: signalled, ssrc: 0xCAFE, sequence: 65530, timestamp: 1<<32 - 500, marker: true}
}

// make returns the next packet and moves on.
func (p *peer) make(payload []byte) datagram {
	b := make([]byte, 12, 12+len(payload))
	b[0], b[1] = 0x80, p.kind
	if p.marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], p.sequence)
	binary.BigEndian.PutUint32(b[4:], p.timestamp)
	binary.BigEndian.PutUint32(b[8:], p.ssrc)
	p.sequence++
	p.timestamp += uint32(len(payload))
	p.marker = false
	return datagram{addr: p.from, b: append(b, payload...)}
}

func (p *peer) deliver(d datagram) { p.call.wire.in <- d }

// speak sends n packets of voice(i), 20 ms apart, and returns their audio.
func (p *peer) speak(n int) []byte {
	var all []byte
	for range n {
		b := voice(p.sequence)
		all = append(all, b...)
		p.deliver(p.make(b))
		time.Sleep(ms(20))
	}
	return all
}

// event sends one telephone-event packet at the present timestamp.
func (p *peer) event(code uint8, end bool, duration int) {
	b := make([]byte, 4)
	b[0], b[1] = code, 10
	if end {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], uint16(duration))
	kind, timestamp := p.kind, p.timestamp
	p.kind = 101
	d := p.make(b)
	p.kind, p.timestamp = kind, timestamp
	p.deliver(d)
}

// press sends a key of 60 ms whole.
func (p *peer) press(code uint8) {
	for i := range 3 {
		p.event(code, false, 160*(i+1))
		time.Sleep(ms(20))
	}
	for range 3 {
		p.event(code, true, 480)
	}
	p.timestamp += 480
}

// voice returns 20 ms that no other number's are like.
func voice(n uint16) []byte {
	b := make([]byte, 160)
	for i := range b {
		b[i] = byte(int(n)*7+i) & 0x7F // µ-law silence is 0xFF
	}
	return b
}

func silence(n int) []byte {
	b := make([]byte, n)
	media.PCMU.FillSilence(b)
	return b
}
