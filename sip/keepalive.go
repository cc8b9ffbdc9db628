package sip

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

// keepaliveLimit is how long a server may take to answer OPTIONS.
const keepaliveLimit = 8 * time.Second

// keepAlive asks t's server whether it lives, now and then, until ctx ends
// (RFC 3261 §11). Every answer but 408 and 503 is that of a living server.
func (s *Server) keepAlive(ctx context.Context, t *trunk) {
	uri, err := parseURI(t.Server)
	if err != nil {
		return // NewServer has refused it
	}
	up := true
	for {
		res, _, _, err := s.submit(ctx, t.next(uri), inquiry{login: t.Login, limit: keepaliveLimit}, func(to link) *gosip.Request {
			return s.outside(t, gosip.OPTIONS, uri, gosip.Uri{Scheme: uri.Scheme, User: "callgw", Host: s.contact(to).Address.Host}, to)
		})
		if ctx.Err() != nil {
			return
		}
		if err == nil && (res.StatusCode == 408 || res.StatusCode == gosip.StatusServiceUnavailable) {
			err = refused(res)
		}
		s.cfg.Metrics.trunkUp(t.Name, err == nil)
		switch {
		case err != nil && up:
			s.log.Warn().Err(err).Str("trunk", t.Name).Msg("trunk is down")
		case err == nil && !up:
			s.log.Info().Str("trunk", t.Name).Msg("trunk is up")
		}
		up = err == nil
		if !s.pause(about(t.Keepalive)) {
			return
		}
	}
}

// about returns d or up to a tenth less, so that many do not ask at once.
func about(d time.Duration) time.Duration {
	return d - time.Duration(rand.Int64N(int64(d/10)+1))
}

// outside builds a request outside a dialog from us to uri, without Via. The tag and
// the Call-ID are new.
func (s *Server) outside(t *trunk, method gosip.RequestMethod, uri, us gosip.Uri, to link) *gosip.Request {
	req := gosip.NewRequest(method, *uri.Clone())
	maxForwards(req)
	from := &gosip.FromHeader{Address: us}
	from.Params.Add("tag", newTag())
	req.AppendHeader(from)
	req.AppendHeader(&gosip.ToHeader{Address: *uri.Clone()})
	id := gosip.CallIDHeader(newTag() + newTag())
	req.AppendHeader(&id)
	req.AppendHeader(&gosip.CSeqHeader{SeqNo: 1, MethodName: method})
	req.AppendHeader(s.contact(to))
	req.AppendHeader(header("User-Agent", s.cfg.UserAgent))
	req.SetBody(nil)
	t.route(req)
	return req
}

var errDead = errors.New("sip: the connection is dead")

// ping asks the peer of a connection for a sign of life (RFC 5626 §3.5.1): it returns
// errDead, with the connection closed, when none comes within 10 s (§4.4.1). Of a peer
// that never gave one, none is expected: not all know the game.
func (st *stream) ping(ctx context.Context) error {
	select {
	case <-st.pong: // of an earlier one
	default:
	}
	if err := st.send([]byte("\r\n\r\n"), st.remote); err != nil {
		return err
	}
	timer := time.NewTimer(pongTime)
	defer timer.Stop()
	select {
	case <-st.pong:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-st.ended:
	case <-timer.C:
		if !st.ponged.Load() {
			return nil
		}
		st.close()
	}
	return errDead
}

const pongTime = 10 * time.Second
