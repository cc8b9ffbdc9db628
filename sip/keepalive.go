package sip

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

// keepaliveLimit is how long a server may take to answer OPTIONS.
const keepaliveLimit = 8 * time.Second

// vigil is the keep-alives of a trunk. It survives changes of the trunk that do not
// concern it.
type vigil struct {
	t    *trunk               // as it was at first
	stop context.CancelFunc   // once it runs
	up   atomic.Pointer[bool] // whether the server lives; nil: not known yet
}

// newVigil returns the keep-alives of t, which may be those of was, nil or what t
// replaces. It is nil if t has none.
func newVigil(t, was *trunk) *vigil {
	switch {
	case t.Keepalive == 0:
		return nil
	case was != nil && was.vigil != nil && was.vigil.asks(t):
		return was.vigil
	}
	return &vigil{t: t}
}

// asks reports whether t's server is asked as it is to be.
func (v *vigil) asks(t *trunk) bool {
	return v.t.Keepalive == t.Keepalive && v.t.Server == t.Server && v.t.Proxy == t.Proxy && v.t.Login == t.Login
}

// keepAlive asks a trunk's server whether it lives, now and then, until ctx ends.
func (s *Server) keepAlive(ctx context.Context, v *vigil) {
	t := v.t
	for was := true; ctx.Err() == nil; {
		_, err := s.probe(ctx, t)
		if ctx.Err() != nil {
			return
		}
		up := err == nil
		v.up.Store(&up)
		switch {
		case !up && was:
			s.log.Warn().Err(err).Str("trunk", t.Name).Msg("trunk is down")
		case up && !was:
			s.log.Info().Str("trunk", t.Name).Msg("trunk is up")
		}
		was = up
		rest(ctx, about(t.Keepalive))
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
	id := gosip.CallIDHeader(NewCallID())
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
