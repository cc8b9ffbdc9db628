package sip

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

const (
	// streamConnect bounds the opening of a connection.
	streamConnect = 5 * time.Second
	// streamWrite bounds one write: a peer that does not read is cut off.
	streamWrite = 5 * time.Second
	// streamFirst is how long a connection may take to send a whole message; one
	// of a stranger, a message that is not refused.
	streamFirst = 32 * time.Second
	// streamIdle is how long a connection may be silent. Dialogs survive it:
	// their next request opens a new one.
	streamIdle = 30 * time.Minute
	// maxStreams bounds the connections of all peers together, maxStrangers those
	// that come from sources of no trunk: they must not keep the trunks out.
	maxStreams   = 4096
	maxStrangers = maxStreams / 4
)

// streams are the open connections, by the far end's address.
type streams struct {
	mu        sync.Mutex
	conns     map[far]*stream
	strangers int
	shut      bool
	readers   sync.WaitGroup
}

// far is what a connection is found by: one over TLS serves the host whose name was
// verified, and no other (RFC 5922 §7.3).
type far struct {
	network string
	addr    netip.AddrPort
	host    string
}

func (st *stream) far() far { return far{st.network(), st.remote, st.host} }

var errShut = errors.New("sip: the server is shutting down")

// add registers st and lets read begin, or refuses it when there are too many
// or none are wanted.
func (s *streams) add(st *stream, read func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.shut:
		return errShut
	case len(s.conns) >= maxStreams:
		return fmt.Errorf("sip: %d connections are open", len(s.conns))
	case st.stranger && s.strangers >= maxStrangers:
		return fmt.Errorf("sip: %d connections of strangers are open", s.strangers)
	}
	if st.stranger {
		s.strangers++
	}
	if s.conns == nil {
		s.conns = make(map[far]*stream)
	}
	s.conns[st.far()] = st
	s.readers.Go(read)
	return nil
}

func (s *streams) remove(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.stranger {
		s.strangers--
	}
	if s.conns[st.far()] == st {
		delete(s.conns, st.far())
	}
}

// to returns the open connection to t, or nil.
func (s *streams) to(t target) *stream {
	key := far{network: t.network, addr: t.addr}
	if t.network == "TLS" {
		key.host = t.host
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns[key]
}

// close closes every connection, refuses new ones, and returns when no reader is
// left.
func (s *streams) close() {
	s.mu.Lock()
	s.shut = true
	conns := s.conns
	s.conns = nil
	s.mu.Unlock()
	for _, st := range conns {
		st.close()
	}
	s.readers.Wait()
}

// stream is one connection.
type stream struct {
	conn     net.Conn
	remote   netip.AddrPort
	stranger bool        // it came from a source of no trunk
	heeded   atomic.Bool // a request of its was not refused
	tls      *tls.Conn   // conn itself when it is encrypted, or nil
	host     string      // of our own making over TLS: whose certificate was verified
	closed   atomic.Bool
	ended    chan struct{} // closed with the connection
	pong     chan struct{} // gets the answers to keep-alives
	ponged   atomic.Bool   // there was one
}

func newStream(conn net.Conn) *stream {
	return &stream{
		conn: conn, remote: addrPort(conn.RemoteAddr()),
		ended: make(chan struct{}), pong: make(chan struct{}, 1),
	}
}

// dialStream opens a connection to addr.
func dialStream(ctx context.Context, addr netip.AddrPort) (*stream, error) {
	d := net.Dialer{Timeout: streamConnect}
	conn, err := d.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return nil, fmt.Errorf("sip: connect: %w", err)
	}
	return newStream(conn), nil
}

func (st *stream) network() string {
	if st.tls != nil {
		return "TLS"
	}
	return "TCP"
}

func (st *stream) verified() bool {
	return st.tls != nil && len(st.tls.ConnectionState().VerifiedChains) > 0
}

func (st *stream) local() netip.AddrPort { return addrPort(st.conn.LocalAddr()) }
func (st *stream) open() bool            { return !st.closed.Load() }

func (st *stream) send(b []byte, _ netip.AddrPort) error {
	if err := st.conn.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil {
		return err
	}
	_, err := st.conn.Write(b)
	if err != nil {
		st.close() // half a message may be out: nothing can follow it
	}
	return err
}

func (st *stream) close() {
	if !st.closed.Swap(true) {
		close(st.ended)
		st.conn.Close()
	}
}

// read hands each message to receive until the connection ends. A message that
// cannot be framed ends it: nothing after it can be found (RFC 3261 §18.3).
func (st *stream) read(parser *gosip.Parser, receive func(msg gosip.Message, from link)) error {
	defer st.close()
	framing := parser.NewSIPStream()
	defer framing.Close()
	buf := make([]byte, 16<<10)
	between, wait := true, streamFirst // between two messages, not inside one
	first := time.Now().Add(streamFirst)
	for {
		until := time.Now().Add(wait)
		if st.stranger && !st.heeded.Load() {
			until = first // whatever it sends until then
		}
		if err := st.conn.SetReadDeadline(until); err != nil {
			return err
		}
		n, err := st.conn.Read(buf)
		if err != nil {
			return err
		}
		data := buf[:n]
		if between {
			// RFC 5626 §3.5.1: two CRLF ask for one, one CRLF is that answer.
			rest := bytes.TrimLeft(data, "\r\n")
			if bytes.HasPrefix(data, []byte("\r\n\r\n")) {
				if err := st.send([]byte("\r\n"), st.remote); err != nil {
					return err
				}
			} else if bytes.HasPrefix(data, []byte("\r\n")) {
				st.ponged.Store(true)
				select {
				case st.pong <- struct{}{}:
				default:
				}
			}
			if data = rest; len(data) == 0 {
				continue
			}
		}
		err = framing.ParseSIPStream(data, func(msg gosip.Message) {
			receive(msg, link{st, st.remote})
			wait = streamIdle
		})
		between = err == nil
		if err != nil && !errors.Is(err, gosip.ErrParseSipPartial) {
			return err
		}
	}
}
