package mediastream

import (
	"crypto/rand"
	"sync"
	"time"
)

// promise is a stream, at once or when the carrier has told its call's id.
type promise struct {
	kept   chan struct{} // closed when stream is set, or never will be
	stream *Stream
}

func newPromise() *promise { return &promise{kept: make(chan struct{})} }

// keep sets the stream; nil: there will be none.
func (p *promise) keep(s *Stream) {
	p.stream = s
	close(p.kept)
}

// within returns the stream, nil if there is none by then.
func (p *promise) within(patience time.Duration) *Stream {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.kept:
		return p.stream
	case <-timer.C:
		return nil
	}
}

// tokens holds the streams that wait for their start message, each under a
// token that works once.
type tokens struct {
	mu      sync.Mutex
	waiting map[string]*promise
}

// issue returns a new token. Its owner must revoke it.
func (t *tokens) issue(p *promise) string {
	token := rand.Text() // at least 128 bits
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting == nil {
		t.waiting = make(map[string]*promise)
	}
	t.waiting[token] = p
	return token
}

// claim returns what token was issued for and forgets the token; nil if it was
// never issued, was claimed before or has expired.
func (t *tokens) claim(token string) *promise {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.waiting[token]
	delete(t.waiting, token)
	return p
}

// find returns what token was issued for, nil if there is nothing.
func (t *tokens) find(token string) *promise {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waiting[token]
}

// revoke forgets a token.
func (t *tokens) revoke(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.waiting, token)
}
