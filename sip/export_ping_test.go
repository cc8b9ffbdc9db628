package sip

import (
	"context"
	"net"
	"sync"

	gosip "github.com/emiago/sipgo/sip"
)

// Pinger is a connection that is read.
type Pinger struct {
	st      *stream
	reading sync.WaitGroup
}

// NewPinger reads conn until it ends.
func NewPinger(conn net.Conn) *Pinger {
	p := &Pinger{st: newStream(conn)}
	p.reading.Go(func() { _ = p.st.read(newParser(), func(gosip.Message, link) {}) })
	return p
}

// Ping asks the peer for a sign of life.
func (p *Pinger) Ping(ctx context.Context) error { return p.st.ping(ctx) }

// Wait returns when nothing is read any more.
func (p *Pinger) Wait() { p.reading.Wait() }
