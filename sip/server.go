package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	gosip "github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"github.com/callgw/callgw/bridge/media"
)

// Server is a SIP user agent: it takes calls and places them.
type Server struct {
	cfg    Config
	log    zerolog.Logger
	parser *gosip.Parser
	filter *filter

	packets   []*udpSocket
	listeners []net.Listener
	streams   streams

	serverTxs serverTxs
	clientTxs clientTxs
	calls     calls
	handlers  group

	openRTP func() (socket, error)

	draining atomic.Bool
	faulty   atomic.Uint64 // messages that could not be answered

	// life is the context of everything that Run waits for; it ends last.
	life  context.Context
	close context.CancelFunc
	// serving is the context of handlers; it ends first.
	serving context.Context
	stop    context.CancelCauseFunc
	readers sync.WaitGroup // who reads sockets
	errands group          // requests that outlive their call
}

// NewServer opens the sockets that cfg lists. Nothing is read before Run.
func NewServer(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: cfg.Log, parser: newParser()}
	s.filter = newFilter(&s.cfg)
	s.openRTP = func() (socket, error) { return s.cfg.Ports.Open() }
	s.life, s.close = context.WithCancel(context.Background())
	s.serving, s.stop = context.WithCancelCause(context.Background())
	for _, l := range cfg.Listen {
		if err := s.listen(l); err != nil {
			s.shut()
			return nil, err
		}
	}
	return s, nil
}

func (s *Server) listen(l Listen) error {
	switch {
	case l.Packets != nil:
		s.packets = append(s.packets, newUDPSocket(l.Packets))
	case l.Streams != nil:
		s.listeners = append(s.listeners, l.Streams)
	case l.Network == "udp":
		conn, err := net.ListenPacket("udp", l.Addr)
		if err != nil {
			return fmt.Errorf("sip: listen: %w", err)
		}
		s.packets = append(s.packets, newUDPSocket(conn))
	default:
		ln, err := net.Listen("tcp", l.Addr)
		if err != nil {
			return fmt.Errorf("sip: listen: %w", err)
		}
		s.listeners = append(s.listeners, ln)
	}
	return nil
}

// Addrs returns the addresses that the server is bound to: the datagram sockets
// in the order of Config.Listen, then the listeners.
func (s *Server) Addrs() []net.Addr {
	var addrs []net.Addr
	for _, u := range s.packets {
		addrs = append(addrs, u.conn.LocalAddr())
	}
	for _, ln := range s.listeners {
		addrs = append(addrs, ln.Addr())
	}
	return addrs
}

// Drain refuses new calls from now on, with 503 and Retry-After; OPTIONS says
// so too. Calls in progress go on.
func (s *Server) Drain() { s.draining.Store(true) }

// Calls returns how many calls exist now.
func (s *Server) Calls() int { return s.calls.count() }

// Run serves until ctx ends or a socket fails. It then ends the calls that are
// left with media.Shutdown, and returns when every goroutine is gone. It is to
// be called once.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, len(s.packets)+len(s.listeners))
	for _, u := range s.packets {
		s.readers.Go(func() {
			if err := u.read(s.datagram); err != nil {
				failed <- fmt.Errorf("sip: receive on %v: %w", u.addr, err)
			}
		})
	}
	for _, ln := range s.listeners {
		s.readers.Go(func() {
			if err := s.accept(ln); err != nil {
				failed <- fmt.Errorf("sip: accept on %v: %w", ln.Addr(), err)
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.Drain()
	s.stop(media.Shutdown)
	s.hangUpAll()
	s.handlers.wait()
	s.close()
	s.errands.wait()
	s.shut()
	s.readers.Wait()
	return err
}

// hangUpAll ends every call there is, those that Dial placed too.
func (s *Server) hangUpAll() {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.HangupTimeout)
	defer cancel()
	var hangups sync.WaitGroup
	for _, c := range s.calls.all() {
		hangups.Go(func() {
			if err := c.Hangup(ctx, media.Shutdown); err != nil {
				c.log.Debug().Err(err).Msg("hang-up not answered")
			}
		})
	}
	hangups.Wait()
}

// shut closes every socket and ends every transaction.
func (s *Server) shut() {
	s.close()
	for _, u := range s.packets {
		u.close()
	}
	for _, ln := range s.listeners {
		ln.Close()
	}
	s.streams.close()
	s.serverTxs.terminateAll()
}

// datagram takes one datagram: a message, or nothing.
func (s *Server) datagram(data []byte, from link) {
	if !s.filter.datagram(data, from.remote.Addr()) {
		return
	}
	msg, err := s.parser.ParseSIP(data)
	if err != nil {
		s.unreadable(data, msg, from, err)
		return
	}
	s.receive(msg, from)
}

// unreadable answers what could not be parsed whole, when what was read of it
// suffices: a body shorter than its Content-Length is such a case too (RFC 3261
// §18.3).
func (s *Server) unreadable(data []byte, msg gosip.Message, from link, err error) {
	status := gosip.StatusBadRequest
	req, ok := msg.(*gosip.Request)
	if !ok || req == nil {
		req, status, ok = salvage(s.parser, data)
	}
	if !ok || !answerable(req) {
		s.lost(from, err)
		return
	}
	markVia(req, from.remote)
	s.refuse(req, from, &fault{status: status, what: err.Error()})
}

// accept takes connections until the listener is closed.
func (s *Server) accept(ln net.Listener) error {
	for {
		conn, err := ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || s.life.Err() != nil {
				return nil
			}
			var temporary interface{ Temporary() bool }
			if errors.As(err, &temporary) && temporary.Temporary() {
				continue // one connection's trouble, not the listener's
			}
			return err
		}
		st := newStream(conn)
		if !s.filter.admit(st.remote.Addr()) {
			st.close()
			continue
		}
		if err := s.attach(st); err != nil {
			s.log.Debug().Err(err).Stringer("peer", st.remote).Msg("connection refused")
		}
	}
}

// attach reads st in a goroutine of its own until it ends.
func (s *Server) attach(st *stream) error {
	err := s.streams.add(st, func() {
		defer s.streams.remove(st)
		err := st.read(s.parser, func(msg gosip.Message, from link) {
			if s.filter.admit(from.remote.Addr()) {
				s.receive(msg, from)
			}
		})
		s.log.Debug().Err(err).Stringer("peer", st.remote).Msg("connection closed")
	})
	if err != nil {
		st.close()
	}
	return err
}

// lost notes a message that nobody can be told about.
func (s *Server) lost(from link, err error) {
	s.faulty.Add(1)
	s.log.Debug().Err(err).Stringer("peer", from.remote).Msg("message dropped")
}

// reach finds or opens a link to addr.
func (s *Server) reach(ctx context.Context, network string, addr netip.AddrPort) (link, error) {
	switch network {
	case "UDP":
		for _, u := range s.packets {
			if u.speaks(addr.Addr()) {
				return link{u, addr}, nil
			}
		}
	case "TCP":
		if st := s.streams.to(addr); st != nil {
			return link{st, addr}, nil
		}
		st, err := dialStream(ctx, addr)
		if err != nil {
			return link{}, err
		}
		if err := s.attach(st); err != nil {
			return link{}, err
		}
		return link{st, addr}, nil
	}
	return link{}, fmt.Errorf("sip: no %s socket for %v: add one to listen", network, addr)
}

// speaks reports whether the socket's address family is addr's.
func (u *udpSocket) speaks(addr netip.Addr) bool {
	own := u.addr.Addr()
	if own.Is6() && own.IsUnspecified() {
		return true // dual stack
	}
	return own.Is4() == addr.Is4()
}

// address returns what l's peer is told to reach us at.
func (s *Server) address(l link) netip.AddrPort {
	own := l.local()
	port := own.Port()
	if l.reliable() {
		// A connection that we opened has a port that nobody listens on.
		for _, ln := range s.listeners {
			port = addrPort(ln.Addr()).Port()
			if port == own.Port() {
				break
			}
		}
	}
	return netip.AddrPortFrom(s.advertised(l), port)
}

// advertised returns the IP address that l's peer is told to reach us at.
func (s *Server) advertised(l link) netip.Addr {
	if s.cfg.ExternalIP.IsValid() {
		return s.cfg.ExternalIP
	}
	return facing(l.local().Addr(), l.remote)
}

// facing returns own, or when it is unspecified the address that packets to
// remote leave from. Connecting a datagram socket sends nothing.
func facing(own netip.Addr, remote netip.AddrPort) netip.Addr {
	if !own.IsUnspecified() {
		return own
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(remote))
	if err != nil {
		return own
	}
	defer conn.Close()
	return addrPort(conn.LocalAddr()).Addr()
}
