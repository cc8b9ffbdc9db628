package sip

import (
	"bytes"
	"net/netip"
	"sync"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

// minMessage is shorter than any SIP message: a start line and its end.
const minMessage = len("A a:b SIP/2.0\r\n\r\n")

// What a source may guess of passwords: so many at once, then one in so long.
const (
	guesses   = 8
	guessTime = 30 * time.Second
)

// standing is what is known of a source.
type standing uint8

const (
	stranger standing = iota
	// acquaintance is a source with which something is under way: what belongs to it
	// is welcome, all else is a stranger's.
	acquaintance
	// friend is a source that a trunk names, or that knew a password lately.
	friend
)

// filter decides what is worth parsing. Friends are let through; each other source has
// a token bucket.
type filter struct {
	trunks  *trunks
	metrics *Metrics
	sources *buckets // messages of strangers
	met     *acquaintances
	// failures holds what sources may still guess of passwords.
	failures *buckets
	// friends are strangers that have proved who they are.
	friends friends
}

// friendTime is how long a source that knew a password may send as much as it wants.
const friendTime = 10 * time.Minute

// friends are sources, and until when they are ones. Its zero value has none.
type friends struct {
	mu    sync.Mutex
	until map[netip.Addr]time.Time
}

func (f *friends) add(source netip.Addr, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.until == nil || len(f.until) >= maxSources {
		f.until = make(map[netip.Addr]time.Time) // the others prove themselves again
	}
	f.until[source] = now.Add(friendTime)
}

func (f *friends) has(source netip.Addr, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Before(f.until[source])
}

func newFilter(cfg *Config, trunks *trunks, met *acquaintances) *filter {
	rate := float64(cfg.SourceRate)
	return &filter{
		trunks: trunks, metrics: cfg.Metrics, met: met, sources: newBuckets(rate, 2*rate),
		failures: newBuckets(1/guessTime.Seconds(), guesses),
	}
}

// datagram reports whether data may be a SIP message that is to be looked at, and whose
// it is. Keep-alives (RFC 5626 §3.5), probes and noise end here, at no cost.
func (f *filter) datagram(data []byte, from netip.Addr) (who standing, ok bool) {
	if len(bytes.Trim(data, "\r\n\x00")) == 0 {
		return stranger, false // a keep-alive
	}
	if len(data) < minMessage || !letter(data[0]) {
		f.metrics.drop(dropNoise)
		return stranger, false
	}
	if len(data) > maxMessage {
		f.metrics.drop(dropSize)
		return stranger, false
	}
	who, ok = f.admit(from)
	switch {
	case !ok:
		return who, false
	case who == stranger && isScanner(data):
		f.metrics.drop(dropScanner)
		return who, false
	case headerLines(data) > maxHeaders:
		f.metrics.drop(dropHeaders)
		return who, false
	}
	return who, true
}

// message is datagram for what came over a connection.
func (f *filter) message(msg gosip.Message, from netip.Addr) (who standing, ok bool) {
	who, ok = f.admit(from)
	switch {
	case !ok:
		return who, false
	case who == stranger && scannerSent(msg):
		f.metrics.drop(dropScanner)
		return who, false
	case headersOf(msg) > maxHeaders:
		f.metrics.drop(dropHeaders)
		return who, false
	}
	return who, true
}

// unasked is admit for what an acquaintance sends that belongs to nothing. msg is nil
// for what could not be read, and for connections.
func (f *filter) unasked(msg gosip.Message, from netip.Addr) bool {
	switch {
	case !f.sources.take(from, time.Now()):
		f.metrics.drop(dropRate)
		return false
	case msg != nil && scannerSent(msg):
		f.metrics.drop(dropScanner)
		return false
	}
	return true
}

func scannerSent(msg gosip.Message) bool {
	products := values(msg, "User-Agent")
	return len(products) > 0 && namesScanner([]byte(products[0]))
}

func headersOf(msg gosip.Message) int {
	switch m := msg.(type) {
	case *gosip.Request:
		return len(m.Headers())
	case *gosip.Response:
		return len(m.Headers())
	}
	return 0
}

// A start line begins with a method or with SIP/2.0. Methods are tokens
// (RFC 3261 §25.1), which may begin with a digit or a mark as well.
func letter(c byte) bool { return c > ' ' && c < 0x7f }

// admit takes one token of the source's bucket if it is a stranger's.
func (f *filter) admit(from netip.Addr) (who standing, ok bool) {
	now := time.Now()
	switch {
	case f.trunks.expects(from) || f.friends.has(from, now):
		return friend, true
	case f.met.has(from):
		return acquaintance, true
	case !f.sources.take(from, now):
		f.metrics.drop(dropRate)
		return stranger, false
	}
	return stranger, true
}
