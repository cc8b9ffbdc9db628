package sip

import (
	"net/netip"
	"time"

	"github.com/icholy/digest"
)

// What is remembered at most.
const (
	MaxSources = maxSources
	MaxNonces  = maxNonces
)

// Sources are buckets of n tokens.
type Sources struct{ b *buckets }

// NewSources returns buckets that fill at n per second.
func NewSources(n float64) Sources { return Sources{newBuckets(n, n)} }

// Take takes a token.
func (s Sources) Take(source netip.Addr, now time.Time) bool { return s.b.take(source, now) }

// Len returns how many are remembered.
func (s Sources) Len() int { return len(s.b.m) }

// Spend uses a nonce as its first answer does, and says whether that was allowed.
func (g Guard) Spend(nonce string, until, now time.Time) bool {
	return g.g.spend(&digest.Credentials{Nonce: nonce, Nc: 1}, until, now)
}

// Used returns how many nonces are remembered.
func (g Guard) Used() int { return len(g.g.used) }
