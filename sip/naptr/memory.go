package naptr

import (
	"sync"
	"time"
)

const (
	// longestLife and longestAbsence bound what a domain may say of how long its
	// records, or that there are none, hold.
	longestLife    = time.Hour
	longestAbsence = 15 * time.Minute
	// failureLife is how long servers that fail are not asked again (RFC 2308 §7.1).
	failureLife = 30 * time.Second
	// silenceLife is the same for those that do not answer (§7.2: 5 min at most): some
	// never answer questions of this type, and calls must not wait for that each.
	silenceLife = 5 * time.Minute
	// mostDomains bounds how many are remembered.
	mostDomains = 1024
)

// memory holds answers until they are old. Its zero value is empty.
type memory struct {
	mu sync.Mutex
	m  map[string]remembered
}

type remembered struct {
	answer
	until time.Time
}

// of returns the answer for a domain, if there is one that still holds.
func (m *memory) of(domain string, now time.Time) (answer, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.m[domain]
	return r.answer, ok && now.Before(r.until)
}

func (m *memory) keep(domain string, a answer, now time.Time) {
	if a.ttl <= 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.m == nil || len(m.m) >= mostDomains {
		m.m = make(map[string]remembered) // the others are asked for again
	}
	m.m[domain] = remembered{a, now.Add(a.ttl)}
}
