package rtp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// DefaultQuarantine is how long a closed port rests, so that stray packets of
// one call do not reach the next.
const DefaultQuarantine = 5 * time.Second

// ErrNoPorts says that every port of the range is in use or resting.
var ErrNoPorts = errors.New("rtp: no free port")

// PortsConfig says where sockets are opened.
type PortsConfig struct {
	// Address is the local address to bind; not valid means all addresses.
	Address netip.Addr
	// Min and Max bound the ports, both included: RTP takes even ones, RTCP the
	// next odd one. Both 0 means whatever the system gives.
	Min, Max uint16
	// Quarantine is how long a closed port rests. 0 means DefaultQuarantine,
	// less than 0 none.
	Quarantine time.Duration
}

// Ports opens pairs of sockets for RTP and RTCP in a range of ports.
type Ports struct {
	cfg   PortsConfig
	first int // the lowest even port
	pairs int // how many even ports have an odd one in the range

	mu      sync.Mutex
	open    map[uint16]*Pair
	resting map[uint16]time.Time // when the port was closed
}

// NewPorts returns an allocator. The error says what is wrong with the range.
func NewPorts(cfg PortsConfig) (*Ports, error) {
	if cfg.Quarantine == 0 {
		cfg.Quarantine = DefaultQuarantine
	}
	p := &Ports{cfg: cfg, open: make(map[uint16]*Pair), resting: make(map[uint16]time.Time)}
	if cfg.Min == 0 && cfg.Max == 0 {
		return p, nil
	}
	p.first = int(cfg.Min) + int(cfg.Min)%2
	p.pairs = (int(cfg.Max) - p.first + 1) / 2
	if p.first == 0 || p.pairs <= 0 {
		return nil, fmt.Errorf("rtp: ports %d-%d: the range must hold an even port above 0 and the odd one after it", cfg.Min, cfg.Max)
	}
	return p, nil
}

// Capacity returns how many pairs the range holds, 0 when it has no bounds.
func (p *Ports) Capacity() int { return p.pairs }

// InUse returns how many pairs are open.
func (p *Ports) InUse() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}

// Open binds a pair of a random even port and the next odd one. The error is
// ErrNoPorts when all are taken, or the system's own.
func (p *Ports) Open() (*Pair, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pairs == 0 {
		return p.ephemeral()
	}
	now := time.Now()
	start := rand.IntN(p.pairs)
	var last error
	for i := range p.pairs {
		port := uint16(p.first + 2*((start+i)%p.pairs))
		if !p.free(port, now) {
			continue
		}
		pair, err := p.bind(port)
		if err == nil {
			return pair, nil
		}
		last = err // some other program has it: try the next
	}
	if last != nil {
		return nil, fmt.Errorf("%w in %d-%d: %d open, the last try: %w", ErrNoPorts, p.cfg.Min, p.cfg.Max, len(p.open), last)
	}
	return nil, fmt.Errorf("%w in %d-%d: %d open, %d resting", ErrNoPorts, p.cfg.Min, p.cfg.Max, len(p.open), len(p.resting))
}

// free reports whether the port is neither open nor resting.
func (p *Ports) free(port uint16, now time.Time) bool {
	if p.open[port] != nil {
		return false
	}
	if closed, ok := p.resting[port]; ok {
		if now.Sub(closed) < p.cfg.Quarantine {
			return false
		}
		delete(p.resting, port)
	}
	return true
}

// ephemeral asks the system for ports until one is even and its neighbour free.
func (p *Ports) ephemeral() (*Pair, error) {
	const tries = 64
	var last error
	for range tries {
		probe, err := p.listen(0)
		if err != nil {
			return nil, fmt.Errorf("rtp: %w", err)
		}
		port := uint16(probe.LocalAddr().(*net.UDPAddr).Port)
		_ = probe.Close()
		pair, err := p.bind(port &^ 1)
		if err == nil {
			return pair, nil
		}
		last = err
	}
	return nil, fmt.Errorf("%w after %d tries: %w", ErrNoPorts, tries, last)
}

func (p *Ports) bind(port uint16) (*Pair, error) {
	rtp, err := p.listen(port)
	if err != nil {
		return nil, err
	}
	rtcp, err := p.listen(port + 1) // RFC 3550 §11: the next higher odd port
	if err != nil {
		_ = rtp.Close()
		return nil, err
	}
	pair := &Pair{UDPConn: rtp, rtcp: rtcp, port: port, ports: p}
	p.open[port] = pair
	return pair, nil
}

func (p *Ports) listen(port uint16) (*net.UDPConn, error) {
	// An address that is not valid is the wildcard of both families.
	return net.ListenUDP("udp", &net.UDPAddr{IP: p.cfg.Address.AsSlice(), Port: int(port), Zone: p.cfg.Address.Zone()})
}

// closed lets the pair's port rest.
func (p *Ports) closed(pair *Pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, pair.port)
	if p.pairs > 0 && p.cfg.Quarantine > 0 {
		p.resting[pair.port] = time.Now()
	}
}
