package sip

import (
	"crypto/tls"
	"errors"
	"net"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

// datagram takes one datagram: a message, or nothing.
func (s *Server) datagram(data []byte, from link) {
	who, ok := s.filter.datagram(data, from.remote.Addr())
	if !ok {
		return
	}
	msg, err := s.parser.ParseSIP(data)
	switch {
	case err == nil:
		s.heed(msg, from, who)
	case who != acquaintance || s.filter.unasked(nil, from.remote.Addr()):
		s.unreadable(data, msg, from, err)
	}
}

// heed takes a message that the filter has let through.
func (s *Server) heed(msg gosip.Message, from link, who standing) {
	if who == acquaintance && !s.expects(msg) && !s.filter.unasked(msg, from.remote.Addr()) {
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
func (s *Server) accept(ln listener) error {
	failures := 0
	for {
		conn, err := ln.Accept()
		if err != nil {
			// One connection's trouble, or too many open files, passes; a dead
			// listener fails for ever.
			failures++
			switch {
			case errors.Is(err, net.ErrClosed) || s.life.Err() != nil:
				return nil
			case failures > 100:
				return err
			}
			s.pause(100 * time.Millisecond)
			continue
		}
		failures = 0
		st := newStream(conn)
		who, ok := s.filter.admit(st.remote.Addr())
		if !ok || who == acquaintance && !s.filter.unasked(nil, st.remote.Addr()) {
			st.close()
			continue
		}
		if ln.secure {
			st = secured(tls.Server(conn, s.certificates.server()), "")
		}
		st.stranger = who != friend
		if err := s.attach(st); err != nil {
			s.log.Debug().Err(err).Stringer("peer", st.remote).Msg("connection refused")
		}
	}
}

// attach reads st in a goroutine of its own until it ends.
func (s *Server) attach(st *stream) error {
	err := s.streams.add(st, func() {
		defer s.streams.remove(st)
		if err := st.handshake(s.life); err != nil {
			s.cfg.Metrics.drop(dropHandshake)
			s.log.Debug().Err(err).Stringer("peer", st.remote).Msg("TLS handshake failed")
			st.close()
			return
		}
		err := st.read(s.parser, func(msg gosip.Message, from link) {
			if who, ok := s.filter.message(msg, from.remote.Addr()); ok {
				s.heed(msg, from, who)
			}
		})
		s.log.Debug().Err(err).Stringer("peer", st.remote).Msg("connection closed")
	})
	if err != nil {
		s.cfg.Metrics.drop(dropConnection)
		st.close()
	}
	return err
}

// lost notes a message that nobody can be told about.
func (s *Server) lost(from link, err error) {
	s.faulty.Add(1)
	s.cfg.Metrics.drop(dropMalformed)
	s.log.Debug().Err(err).Stringer("peer", from.remote).Msg("message dropped")
}

// pause waits. It returns false, early, when the server ends.
func (s *Server) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.life.Done():
		return false
	}
}
