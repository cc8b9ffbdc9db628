package sip

import (
	"context"
	"errors"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

// inquiry is a request of ours that is no INVITE, with all it takes to get an
// answer.
type inquiry struct {
	req   *gosip.Request // without Via
	to    link
	login Credentials
	// seq gives the next CSeq. nil means one more than the last.
	seq func() uint32
	// limit is how long each round may take; 0 means 64*T1.
	limit time.Duration
}

// converse sends q's request and returns the final response, after having
// answered the challenges that came before it, and the request that led to it.
func (s *Server) converse(ctx context.Context, q inquiry) (*gosip.Response, *gosip.Request, error) {
	met := answers{login: q.login}
	req := q.req
	for {
		req.PrependHeader(s.via(q.to))
		t := s.begin(req, q.to)
		t.limit = q.limit
		res, err := s.exchange(ctx, t, nil)
		if err != nil || !challenges(res) {
			return res, req, err
		}
		seq := req.CSeq().SeqNo + 1
		if q.seq != nil {
			seq = q.seq()
		}
		next := met.again(req, res, seq)
		if next == nil {
			return res, req, nil
		}
		req = next
	}
}

func challenges(res *gosip.Response) bool {
	return res.StatusCode == gosip.StatusUnauthorized || res.StatusCode == gosip.StatusProxyAuthRequired
}

// unavailable reports whether another server should be tried (RFC 3263 §4.3): this
// one is gone, does not answer, or says so itself.
func unavailable(res *gosip.Response, err error) bool {
	if err != nil {
		return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	}
	return res.StatusCode == gosip.StatusServiceUnavailable
}

// submit sends a request outside a dialog to the servers of q's trunk that next
// names, one after the other until one answers. build makes the request for the
// way to one of them.
func (s *Server) submit(ctx context.Context, next gosip.Uri, q inquiry, build func(to link) *gosip.Request) (*gosip.Response, *gosip.Request, link, error) {
	targets, err := s.targets(ctx, next, link{})
	if err != nil {
		return nil, nil, link{}, err
	}
	var res *gosip.Response
	var last *gosip.Request
	for i, t := range targets {
		if q.to, err = s.reach(ctx, t); err == nil {
			q.req = build(q.to)
			res, last, err = s.converse(ctx, q)
		}
		if ctx.Err() != nil || !unavailable(res, err) {
			break
		}
		s.shunned.add(t.addr, time.Now())
		if i < len(targets)-1 {
			s.log.Debug().Err(err).Stringer("server", t.addr).Msg("next server")
			res = nil
		}
	}
	return res, last, q.to, err
}
