package sip

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

// ErrNoAnswer says that a request was not answered in time, which is 64*T1 where
// nothing else is said: as if the answer were 408 (RFC 3261 §8.1.3.1).
var ErrNoAnswer = errors.New("sip: no answer")

// errEnded says that the connection ended before there was an answer.
var errEnded = errors.New("the connection ended")

// clientTx is a request of ours that waits for its answer.
type clientTx struct {
	req       *gosip.Request
	to        link
	key       string
	responses chan *gosip.Response
	limit     time.Duration // of patience; 0: 64*T1

	mu    sync.Mutex
	again func(*gosip.Response)
}

// receive takes a response from the wire, in order. It never blocks: what finds
// no room is sent again by the peer.
func (t *clientTx) receive(res *gosip.Response) {
	t.mu.Lock()
	again := t.again
	t.mu.Unlock()
	if again != nil {
		if !res.IsProvisional() {
			again(res)
		}
		return
	}
	select {
	case t.responses <- res:
	default:
	}
}

// onAgain makes f take every final response that follows the first.
func (t *clientTx) onAgain(f func(*gosip.Response)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.again = f
}

// clientTxs are the requests that wait for their answers.
type clientTxs struct {
	met *acquaintances // those that they wait for

	mu sync.Mutex
	m  map[string]*clientTx
}

func (c *clientTxs) add(t *clientTx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = make(map[string]*clientTx)
	}
	c.m[t.key] = t
	c.met.meet(t.to.remote.Addr())
}

func (c *clientTxs) remove(t *clientTx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m[t.key] == t {
		delete(c.m, t.key)
		c.met.part(t.to.remote.Addr())
	}
}

// find returns the transaction that res answers (RFC 3261 §17.1.3), or nil.
func (c *clientTxs) find(res *gosip.Response) *clientTx {
	via, cseq := res.Via(), res.CSeq()
	if via == nil || cseq == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m[clientKey(via, cseq.MethodName)]
}

func clientKey(via *gosip.ViaHeader, method gosip.RequestMethod) string {
	return via.Params.GetOr("branch", "") + "\x00" + string(method)
}

// via returns the top Via of a request that leaves by l, with a branch of its
// own and a wish to be answered where it came from (RFC 3581).
func (s *Server) via(l link) *gosip.ViaHeader {
	addr := s.address(l)
	h := &gosip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: l.network(),
		Host: uriHost(addr.Addr()), Port: int(addr.Port()),
	}
	h.Params.Add("branch", gosip.GenerateBranchN(16))
	h.Params.Add("rport", "")
	return h
}

// begin registers a transaction for req, which must have its Via.
func (s *Server) begin(req *gosip.Request, to link) *clientTx {
	t := &clientTx{req: req, to: to, responses: make(chan *gosip.Response, 16)}
	t.key = clientKey(req.Via(), req.Method)
	s.clientTxs.add(t)
	return t
}

// exchange sends t's request, repeats it as RFC 3261 §17.1 says, and returns the
// final response. It gives up when ctx ends, with its cause, or with ErrNoAnswer.
// Provisional responses go to ringing, which may be nil. An INVITE that fails is
// acknowledged here (RFC 3261 §17.1.1.3); one that succeeds by the caller, who
// must also say what a repeated 2xx gets (onAgain).
func (s *Server) exchange(ctx context.Context, t *clientTx, ringing func(*gosip.Response)) (*gosip.Response, error) {
	invite := t.req.IsInvite()
	if err := t.to.write(t.req); err != nil {
		s.clientTxs.remove(t)
		return nil, fmt.Errorf("sip: send %s: %w", t.req.Method, err)
	}
	schedule := resend{limit: t2} // timer E
	if invite {
		schedule.limit = 0 // timer A
	}
	repeat := time.NewTimer(schedule.next())
	defer repeat.Stop()
	if t.to.reliable() {
		repeat.Stop()
	}
	limit := patience
	if t.limit > 0 {
		limit = min(limit, t.limit)
	}
	giveUp := time.NewTimer(limit) // timers B and F
	defer giveUp.Stop()
	var ended <-chan struct{} // nil, which never is, without a connection
	if st, ok := t.to.hop.(*stream); ok {
		ended = st.ended
	}
	for {
		select {
		case <-ended:
			// RFC 3261 §17.1.4. What came over it before is taken first.
			if ended = nil; len(t.responses) == 0 {
				s.clientTxs.remove(t)
				return nil, fmt.Errorf("sip: %s: %w", t.req.Method, errEnded)
			}
		case <-ctx.Done():
			s.clientTxs.remove(t)
			return nil, context.Cause(ctx)
		case <-giveUp.C:
			s.clientTxs.remove(t)
			return nil, ErrNoAnswer
		case <-repeat.C:
			if err := t.to.write(t.req); err != nil {
				s.clientTxs.remove(t)
				return nil, fmt.Errorf("sip: send %s: %w", t.req.Method, err)
			}
			repeat.Reset(schedule.next())
		case res := <-t.responses:
			switch {
			case res.IsProvisional() && invite:
				ended = nil // §18.2.2: the rest may come over another connection
				repeat.Stop()
				giveUp.Stop() // ringing may last; the caller bounds it
			case res.IsProvisional():
				schedule.interval = t2 // RFC 3261 §17.1.2.2
			case !invite:
				s.clientTxs.remove(t)
				return res, nil
			case !res.IsSuccess():
				s.ackFailure(t, res)
				s.linger(t)
				return res, nil
			default:
				s.linger(t)
				return res, nil
			}
			if ringing != nil {
				ringing(res)
			}
		}
	}
}

// linger keeps a finished INVITE known for as long as its final response may be
// repeated (timers D and M).
func (s *Server) linger(t *clientTx) {
	time.AfterFunc(patience, func() { s.clientTxs.remove(t) })
}

// ackFailure acknowledges a failure response within its transaction, and every
// repetition of it.
func (s *Server) ackFailure(t *clientTx, res *gosip.Response) {
	ack := gosip.NewRequest(gosip.ACK, *t.req.Recipient.Clone())
	ack.AppendHeader(t.req.Via().Clone())
	gosip.CopyHeaders("Route", t.req, ack)
	gosip.CopyHeaders("From", t.req, ack)
	gosip.CopyHeaders("To", res, ack)
	gosip.CopyHeaders("Call-ID", t.req, ack)
	ack.AppendHeader(&gosip.CSeqHeader{SeqNo: t.req.CSeq().SeqNo, MethodName: gosip.ACK})
	maxForwards(ack)
	ack.SetBody(nil)
	send := func(*gosip.Response) { _ = t.to.write(ack) } // lost: the peer asks again
	t.onAgain(send)
	send(res)
}

func maxForwards(req *gosip.Request) {
	hops := gosip.MaxForwardsHeader(70)
	req.AppendHeader(&hops)
}
