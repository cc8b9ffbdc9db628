package sip

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

// handshakeTime bounds a handshake.
const handshakeTime = 10 * time.Second

// listener takes connections, over TLS or not.
type listener struct {
	net.Listener
	secure bool
}

// address returns where it listens; of TLS, the address' network is "tls".
func (l listener) address() net.Addr {
	if l.secure {
		return secureAddr{l.Addr()}
	}
	return l.Addr()
}

type secureAddr struct{ net.Addr }

func (secureAddr) Network() string { return "tls" }

// connect opens a connection to t.
func (s *Server) connect(ctx context.Context, t target) (*stream, error) {
	st, err := dialStream(ctx, t.addr)
	if err != nil || t.network != "TLS" {
		return st, err
	}
	st = secured(tls.Client(st.conn, s.certificates.client(t.host, t.addr.Addr())), t.host)
	if err := st.handshake(ctx); err != nil {
		st.close()
		return nil, fmt.Errorf("sip: TLS with %s: %w", t.host, err)
	}
	return st, nil
}

// secured is a connection over TLS. host is whose certificate it verifies.
func secured(conn *tls.Conn, host string) *stream {
	st := newStream(conn)
	st.tls, st.host = conn, host
	return st
}

// handshake completes the connection; without TLS there is nothing to it. A
// handshake that is complete already is none.
func (st *stream) handshake(ctx context.Context) error {
	if st.tls == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	return st.tls.HandshakeContext(ctx)
}
