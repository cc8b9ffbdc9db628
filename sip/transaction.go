package sip

import (
	"log/slog"
	"sync"

	gosip "github.com/emiago/sipgo/sip"
)

// serverTx is a request of the peer's and the state of its answer. Responses,
// their retransmission and the absorption of retransmitted requests are
// sipgo's (RFC 3261 §17.2, RFC 6026); which message belongs where is ours.
type serverTx struct {
	tx  *gosip.ServerTx
	req *gosip.Request
	key string

	mu     sync.Mutex
	status int // of the last response
	acked  bool
	call   *Call // of an INVITE: what a CANCEL ends
}

// respond sends res and keeps it for retransmissions of the request.
func (t *serverTx) respond(res *gosip.Response) error {
	t.mu.Lock()
	if t.status >= 200 && !(t.status < 300 && res.IsSuccess()) {
		t.mu.Unlock()
		return nil // one final response; a repeated 2xx is the dialog's business
	}
	t.status = res.StatusCode
	t.mu.Unlock()
	return t.tx.Respond(res)
}

// ack takes the ACK of a failure response, which stops its retransmission.
func (t *serverTx) ack(req *gosip.Request) {
	t.mu.Lock()
	first := t.status >= 300 && !t.acked
	t.acked = t.acked || first
	t.mu.Unlock()
	if !first {
		return
	}
	if err := t.tx.Receive(req); err != nil {
		return
	}
	// sipgo passes each ACK up from a goroutine of its own; take it, so that
	// the goroutine ends.
	select {
	case <-t.tx.Acks():
	case <-t.tx.Done():
	}
}

// again answers a retransmission with the last response, if there was one.
func (t *serverTx) again(req *gosip.Request) { _ = t.tx.Receive(req) }

func (t *serverTx) setCall(c *Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.call = c
}

func (t *serverTx) owner() *Call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.call
}

// serverTxs are the transactions in progress.
type serverTxs struct {
	mu sync.Mutex
	m  map[string]*serverTx
}

// silent is what sipgo's transactions log to: what they have to say is either
// returned as an error or a peer's fault that is counted elsewhere.
var silent = slog.New(slog.DiscardHandler)

// open returns the transaction of req and whether it is new.
func (s *serverTxs) open(req *gosip.Request, from link) (t *serverTx, fresh bool, err error) {
	key := txKey(req, req.Method)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.m[key]; t != nil {
		return t, false, nil
	}
	t = &serverTx{req: req, key: key, tx: gosip.NewServerTx(key, req, txConn{replyTo(req, from)}, silent)}
	if err := t.tx.Init(); err != nil {
		return nil, false, err
	}
	t.tx.OnTerminate(func(string, error) { s.drop(t) })
	if s.m == nil {
		s.m = make(map[string]*serverTx)
	}
	s.m[key] = t
	return t, true, nil
}

// find returns the transaction that msg belongs to, taken as one of method.
func (s *serverTxs) find(msg gosip.Message, method gosip.RequestMethod) *serverTx {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m[txKey(msg, method)]
}

func (s *serverTxs) drop(t *serverTx) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m[t.key] == t {
		delete(s.m, t.key)
	}
}

// terminateAll ends every transaction and its timers.
func (s *serverTxs) terminateAll() {
	s.mu.Lock()
	all := make([]*serverTx, 0, len(s.m))
	for _, t := range s.m {
		all = append(all, t)
	}
	s.mu.Unlock()
	for _, t := range all {
		t.tx.Terminate()
	}
}
