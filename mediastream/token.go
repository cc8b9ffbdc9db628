package mediastream

import (
	"crypto/rand"
	"sync"
)

// tokens holds the streams that wait for their start message, each under a
// token that works once.
type tokens struct {
	mu      sync.Mutex
	waiting map[string]*Stream
}

// issue returns a new token for s. Its owner must revoke it.
func (t *tokens) issue(s *Stream) string {
	token := rand.Text() // at least 128 bits
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting == nil {
		t.waiting = make(map[string]*Stream)
	}
	t.waiting[token] = s
	return token
}

// claim returns the stream that token was issued for and forgets the token;
// nil if it was never issued, was claimed before or has expired.
func (t *tokens) claim(token string) *Stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.waiting[token]
	delete(t.waiting, token)
	return s
}

// revoke forgets a token.
func (t *tokens) revoke(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.waiting, token)
}
