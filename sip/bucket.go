package sip

import (
	"net/netip"
	"sync"
	"time"
)

// bucket is a token bucket. Its zero value is full.
type bucket struct {
	tokens float64
	filled time.Time
}

// take takes one token, of rate per second and size at most.
func (b *bucket) take(now time.Time, rate, size float64) bool {
	if !b.fill(now, rate, size) {
		return false
	}
	b.tokens--
	return true
}

// fill reports whether there is a token.
func (b *bucket) fill(now time.Time, rate, size float64) bool {
	if b.filled.IsZero() {
		b.tokens = size
	} else {
		b.tokens = min(size, b.tokens+now.Sub(b.filled).Seconds()*rate)
	}
	b.filled = now
	return b.tokens >= 1
}

// buckets are one for each source, of those that were seen lately.
type buckets struct {
	rate, size float64

	mu sync.Mutex
	m  map[netip.Addr]*bucket
}

// maxSources bounds the memory that strangers can claim.
const maxSources = 8192

func newBuckets(rate, size float64) *buckets {
	return &buckets{rate: rate, size: size, m: make(map[netip.Addr]*bucket)}
}

// take takes a token of the source's.
func (bs *buckets) take(source netip.Addr, now time.Time) bool {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	b := bs.m[source]
	if b == nil {
		if len(bs.m) >= maxSources {
			bs.forget(now)
		}
		b = &bucket{}
		bs.m[source] = b
	}
	return b.take(now, bs.rate, bs.size)
}

// has reports whether the source has a token left.
func (bs *buckets) has(source netip.Addr, now time.Time) bool {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	b := bs.m[source]
	return b == nil || b.fill(now, bs.rate, bs.size)
}

// forget drops the buckets that are full again, or all of them when few are: a
// flood from more sources than are remembered is not stopped by remembering.
func (bs *buckets) forget(now time.Time) {
	full := time.Duration(bs.size / bs.rate * float64(time.Second))
	for addr, b := range bs.m {
		if now.Sub(b.filled) > full {
			delete(bs.m, addr)
		}
	}
	if len(bs.m) > maxSources/2 {
		clear(bs.m)
	}
}
