package siptest

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Network connects sockets in memory. The zero value is a perfect one.
type Network struct {
	mu    sync.Mutex
	fault Fault
	rng   *rand.Rand
	hosts map[netip.AddrPort]*Socket
	sent  int
}

// Fault says what the network does to datagrams. The zero value: nothing.
type Fault struct {
	Delay     time.Duration // of every datagram
	Jitter    time.Duration // at most so much more, at random: it reorders
	Loss      float64       // 0 to 1: the share that never arrives
	Duplicate float64       // 0 to 1: the share that arrives twice
	// Drop, when set, decides for each datagram whether it is lost.
	Drop func(data []byte, from, to netip.AddrPort) bool
	Seed uint64 // of the random numbers, so that a test repeats itself
}

// Set makes the network behave so from now on.
func (n *Network) Set(f Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fault = f
	n.rng = rand.New(rand.NewPCG(f.Seed, 1))
}

// Sent returns how many datagrams were given to the network.
func (n *Network) Sent() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sent
}

// Open returns how many sockets are open.
func (n *Network) Open() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.hosts)
}

// Listen opens a socket at addr, an IP address with a port.
func (n *Network) Listen(addr string) *Socket {
	s := &Socket{
		net: n, addr: netip.MustParseAddrPort(addr),
		in: make(chan datagram, 1024), closed: make(chan struct{}),
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts == nil {
		n.hosts = make(map[netip.AddrPort]*Socket)
	}
	n.hosts[s.addr] = s
	return s
}

func (n *Network) send(data []byte, from, to netip.AddrPort) {
	n.mu.Lock()
	n.sent++
	f, copies, later := n.fault, 1, n.fault.Delay
	if f.Loss > 0 && n.rng.Float64() < f.Loss {
		copies = 0
	}
	if f.Duplicate > 0 && n.rng.Float64() < f.Duplicate {
		copies *= 2
	}
	if f.Jitter > 0 {
		later += time.Duration(n.rng.Int64N(int64(f.Jitter)))
	}
	dest := n.hosts[to]
	n.mu.Unlock()
	if dest == nil || f.Drop != nil && f.Drop(data, from, to) {
		return
	}
	d := datagram{append([]byte(nil), data...), from}
	for range copies {
		if later == 0 {
			dest.deliver(d)
			continue
		}
		time.AfterFunc(later, func() { dest.deliver(d) })
	}
}

type datagram struct {
	data []byte
	from netip.AddrPort
}

// Socket is a net.PacketConn of the network.
type Socket struct {
	net    *Network
	addr   netip.AddrPort
	in     chan datagram
	once   sync.Once
	closed chan struct{}

	mu      sync.Mutex
	expired chan struct{} // nil: no deadline
	changed chan struct{}
	timer   *time.Timer
}

var _ net.PacketConn = (*Socket)(nil)

func (s *Socket) deliver(d datagram) {
	select {
	case s.in <- d:
	default: // a full socket buffer
	}
}

// ReadFrom waits for a datagram. It returns net.ErrClosed after Close.
func (s *Socket) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := s.ReadFromUDPAddrPort(p)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// ReadFromUDPAddrPort is ReadFrom as *net.UDPConn has it.
func (s *Socket) ReadFromUDPAddrPort(p []byte) (int, netip.AddrPort, error) {
	for {
		expired, changed := s.expiry()
		select {
		case <-expired:
			return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
		default:
		}
		select {
		case d := <-s.in:
			return copy(p, d.data), d.from, nil
		case <-s.closed:
			return 0, netip.AddrPort{}, net.ErrClosed
		case <-expired:
			return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
		case <-changed:
		}
	}
}

// expiry returns a channel that is closed at the deadline and one that is closed
// when the deadline changes.
func (s *Socket) expiry() (expired, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.expired, s.changed
}

// SetReadDeadline makes pending and later reads fail from t on.
func (s *Socket) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	s.expired = nil
	if !t.IsZero() {
		expired := make(chan struct{})
		s.expired = expired
		if wait := time.Until(t); wait <= 0 {
			close(expired)
		} else {
			s.timer = time.AfterFunc(wait, func() { close(expired) })
		}
	}
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	return nil
}

// WriteTo sends a datagram to a *net.UDPAddr. Nobody there is no error.
func (s *Socket) WriteTo(p []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, errors.New("siptest: not a UDP address")
	}
	return s.WriteToUDPAddrPort(p, udp.AddrPort())
}

// WriteToUDPAddrPort is WriteTo as *net.UDPConn has it.
func (s *Socket) WriteToUDPAddrPort(p []byte, to netip.AddrPort) (int, error) {
	select {
	case <-s.closed:
		return 0, net.ErrClosed
	default:
	}
	s.net.send(p, s.addr, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()))
	return len(p), nil
}

// Close ends reading and writing.
func (s *Socket) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.net.mu.Lock()
		defer s.net.mu.Unlock()
		delete(s.net.hosts, s.addr)
	})
	return nil
}

// LocalAddr returns the address of Listen.
func (s *Socket) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(s.addr) }

// SetDeadline is SetReadDeadline: writing never waits.
func (s *Socket) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// SetWriteDeadline does nothing.
func (s *Socket) SetWriteDeadline(time.Time) error { return nil }
