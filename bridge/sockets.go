package bridge

import (
	"context"
	"net"
	"slices"
	"sync/atomic"
)

// sockets counts a call's connections to providers, from being made to being
// closed. It may outlive the call, which is what it is for.
type sockets struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	open atomic.Int32
}

func newSockets(cfg Config) *sockets {
	if cfg.Dial != nil {
		return &sockets{dial: cfg.Dial}
	}
	return &sockets{dial: (&net.Dialer{}).DialContext}
}

// reach makes a connection that is counted.
func (s *sockets) reach(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := s.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	s.open.Add(1)
	return &socket{Conn: conn, among: s}, nil
}

type socket struct {
	net.Conn
	among  *sockets
	closed atomic.Bool
}

// Close may be called more than once.
func (s *socket) Close() error {
	if s.closed.CompareAndSwap(false, true) {
		s.among.open.Add(-1)
	}
	return s.Conn.Close()
}

// LeakedSockets returns how many connections to providers are open whose calls
// have ended.
func (r *Registry) LeakedSockets() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetClosed()
	for _, s := range r.left {
		n += int(s.open.Load())
	}
	return n
}

// forgetClosed drops the sockets of ended calls that have closed since. The caller
// holds mu.
func (r *Registry) forgetClosed() {
	r.left = slices.DeleteFunc(r.left, func(s *sockets) bool { return s.open.Load() == 0 })
}
