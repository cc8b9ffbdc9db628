package mediastream

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

const (
	// ticketLife is how long a ticket may wait for its socket.
	ticketLife = 30 * time.Second
	// maxTickets bounds those that wait at a time.
	maxTickets = 1000
)

// tickets let in a socket each, of a page that must not know the secret: whoever
// knows it fetches one for the page.
type tickets struct {
	mu      sync.Mutex
	waiting map[string]time.Time // when they expire
}

// issue returns a new ticket; "" if too many wait.
func (t *tickets) issue(now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for ticket, expires := range t.waiting {
		if !now.Before(expires) {
			delete(t.waiting, ticket)
		}
	}
	if len(t.waiting) >= maxTickets {
		return ""
	}
	if t.waiting == nil {
		t.waiting = make(map[string]time.Time)
	}
	ticket := rand.Text() // at least 128 bits
	t.waiting[ticket] = now.Add(ticketLife)
	return ticket
}

// claim tells whether a ticket is good, and forgets it.
func (t *tickets) claim(ticket string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	expires := t.waiting[ticket] // the zero time if there is none
	delete(t.waiting, ticket)
	return now.Before(expires)
}

// ticket serves a ticket to who shows the secret.
func (h *Handler) ticket(w http.ResponseWriter, r *http.Request) {
	switch {
	case h.intrudes(r):
		h.refuseOrigin(w, r)
		return
	case h.cfg.Validate && !h.admit(r):
		h.refuseSecret(w, r, "Bearer") // not Basic, for which a browser would ask its user
		return
	}
	ticket := h.tickets.issue(time.Now())
	if ticket == "" {
		h.reject(r, rejectTickets)
		http.Error(w, "too many tickets are waiting", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// Whoever has gone needs no ticket.
	_ = json.NewEncoder(w).Encode(map[string]any{"ticket": ticket, "expires_in": int(ticketLife.Seconds())})
}
