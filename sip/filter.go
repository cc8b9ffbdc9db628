package sip

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// minMessage is shorter than any SIP message: a start line and its end.
	minMessage = len("A a:b SIP/2.0\r\n\r\n")
	// maxSources bounds the memory that strangers can claim.
	maxSources = 8192
)

// filter decides what is worth parsing. Sources that a trunk names are let
// through; each other source has a token bucket.
type filter struct {
	cfg  *Config
	rate float64 // tokens per second; a bucket holds twice as many

	mu      sync.Mutex
	sources map[netip.Addr]*bucket
}

type bucket struct {
	tokens float64
	filled time.Time
}

func newFilter(cfg *Config) *filter {
	return &filter{cfg: cfg, rate: float64(cfg.SourceRate), sources: make(map[netip.Addr]*bucket)}
}

// datagram reports whether data may be a SIP message that is to be looked at.
// Keep-alives (RFC 5626 §3.5), probes and noise end here, at no cost.
func (f *filter) datagram(data []byte, from netip.Addr) bool {
	if len(data) < minMessage || len(data) > maxMessage || !letter(data[0]) {
		return false
	}
	return f.admit(from)
}

// A start line begins with a method or with SIP/2.0. Methods are tokens
// (RFC 3261 §25.1), which may begin with a digit or a mark as well.
func letter(c byte) bool { return c > ' ' && c < 0x7f }

// admit takes one token of the source's bucket.
func (f *filter) admit(from netip.Addr) bool {
	if t, known := f.cfg.trunk(from); known && t.Name != "" {
		return true
	}
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.sources[from]
	if b == nil {
		if len(f.sources) >= maxSources {
			f.forget(now)
		}
		b = &bucket{tokens: 2 * f.rate, filled: now}
		f.sources[from] = b
	}
	b.tokens = min(2*f.rate, b.tokens+now.Sub(b.filled).Seconds()*f.rate)
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// forget drops the buckets that are full again, or all of them when few are: a
// flood from more sources than are remembered is not stopped by remembering.
func (f *filter) forget(now time.Time) {
	for addr, b := range f.sources {
		if now.Sub(b.filled) > 2*time.Second {
			delete(f.sources, addr)
		}
	}
	if len(f.sources) > maxSources/2 {
		clear(f.sources)
	}
}
