package sip

import (
	"slices"
	"sync"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

const (
	// knownLife is how long servers are used that DNS has named when it last answered
	// (RFC 8767 §5: one to three days).
	knownLife = 24 * time.Hour
	// mostKnown bounds for how many URIs they are remembered.
	mostKnown = 1024
)

// lastKnown are the servers that URIs led to when DNS last answered all that it was
// asked. They are used while it does not. Its zero value has none.
type lastKnown struct {
	mu sync.Mutex
	m  map[whither]recollection
}

// whither is what servers are found by.
type whither struct {
	network, host string
	port          int
	told, secure  bool
}

type recollection struct {
	targets []target
	until   time.Time
}

func whitherTo(uri gosip.Uri, network, host string, told bool) whither {
	return whither{network, host, uri.Port, told, uri.IsEncrypted()}
}

func (k *lastKnown) keep(to whither, targets []target, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(targets) == 0 {
		delete(k.m, to) // DNS says so
		return
	}
	if k.m == nil || len(k.m) >= mostKnown {
		k.m = make(map[whither]recollection) // the others will be known again
	}
	k.m[to] = recollection{slices.Clone(targets), now.Add(knownLife)}
}

// of returns the servers that were known lately, if any.
func (k *lastKnown) of(to whither, now time.Time) []target {
	k.mu.Lock()
	defer k.mu.Unlock()
	if last := k.m[to]; now.Before(last.until) {
		return slices.Clone(last.targets)
	}
	return nil
}
