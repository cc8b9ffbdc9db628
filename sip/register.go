package sip

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	gosip "github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
)

const (
	// firstRetry and lastRetry are the distances between attempts to register, at
	// random up to half more or less.
	firstRetry = 2 * time.Second
	lastRetry  = 5 * time.Minute
	// natTime is how often a NAT on the way to the registrar is reminded of us: over
	// UDP (RFC 5626 §4.4.2 asks for 24 to 29 s) and over connections (§4.4.1: 95 to
	// 120 s, for they live longer).
	natTime  = 25 * time.Second
	pingTime = 100 * time.Second
	// steady is how long a connection must have lasted for the next to be opened at
	// once.
	steady = time.Minute
	// registerLimit is how long a registrar may take to answer.
	registerLimit = 16 * time.Second
)

// registration keeps one trunk registered (RFC 3261 §10.2). It survives changes of the
// trunk that do not concern it.
type registration struct {
	s   *Server
	t   *trunk // as it was at first
	log zerolog.Logger
	uri gosip.Uri // the registrar
	aor gosip.Uri

	callID  gosip.CallIDHeader
	tag     string
	seq     uint32
	expires time.Duration // what is asked for; 423 may raise it
	to      link          // by which the binding was made

	stop  context.CancelFunc // once it runs
	after []*registration    // of the same account, which must have ended first
	gone  chan struct{}      // closed when the binding is no more

	// servers are the addresses of the registrar: calls come from there.
	servers    atomic.Pointer[[]netip.Addr]
	registered atomic.Bool

	mu    sync.Mutex
	lapse *time.Timer // of the binding; nil: there is none
}

// newRegistration returns what keeps t registered: it is that of was, what t replaces
// or nil, if nothing changes in it, and nil if t is not to be registered.
func newRegistration(s *Server, t, was *trunk) *registration {
	if t.Register == nil {
		return nil
	}
	sameWay := was != nil && was.binding != nil && was.Proxy == t.Proxy && was.Register.Server == t.Register.Server
	if sameWay && *was.Register == *t.Register {
		return was.binding
	}
	uri, _ := parseURI(t.Register.Server) // complete has refused what is none
	r := &registration{
		s: s, t: t, uri: uri, log: s.log.With().Str("trunk", t.Name).Logger(),
		aor:    gosip.Uri{Scheme: uri.Scheme, User: t.Register.User, Host: uri.Host, Port: uri.Port},
		callID: gosip.CallIDHeader(NewCallID()), tag: newTag(),
		expires: t.Register.Expires, gone: make(chan struct{}),
	}
	if sameWay {
		r.servers.Store(was.binding.servers.Load()) // calls come all the while
	}
	// §10.2: the Request-URI has no user.
	r.uri.User, r.uri.Password = "", ""
	return r
}

// at reports whether addr is a registrar's.
func (r *registration) at(addr netip.Addr) bool {
	servers := r.servers.Load()
	return servers != nil && slices.Contains(*servers, addr)
}

// ended reports whether there is no binding of it any more, nor will be.
func (r *registration) ended() bool {
	select {
	case <-r.gone:
		return true
	default:
		return false
	}
}

// run registers, again and again, until ctx ends; then it takes the binding back,
// for as long as last lasts.
func (r *registration) run(ctx, last context.Context) {
	defer close(r.gone)
	for _, before := range r.after {
		<-before.gone // else it would take back what is ours: the contact is the same
	}
	r.after = nil
	retry := backoff.ExponentialBackOff{InitialInterval: firstRetry, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: lastRetry}
	failing := false
	for ctx.Err() == nil {
		was := r.registered.Load()
		wait, err := r.register(ctx, r.expires)
		switch {
		case ctx.Err() != nil:
		case err == nil:
			if failing && was { // else bound has said so
				r.log.Info().Msg("registration renewed")
			}
			failing = false
			began := time.Now()
			if r.keep(ctx, wait) || time.Since(began) > steady {
				retry.Reset()
				continue
			}
			// Not all registrars leave a connection open: no endless hurry.
			rest(ctx, retry.NextBackOff())
		default:
			failing = true
			wait = max(wait, retry.NextBackOff())
			r.log.Warn().Err(err).Dur("retry_ms", wait).Msg("registration failed")
			rest(ctx, wait)
		}
	}
	r.leave(last)
}

// keep waits until the binding is to be refreshed, and keeps the way open meanwhile.
// It returns false, early, when its connection has ended: nothing would come over it.
func (r *registration) keep(ctx context.Context, d time.Duration) bool {
	refresh := time.NewTimer(d)
	defer refresh.Stop()
	interval := natTime
	var ended <-chan struct{} // never, over UDP
	st, _ := r.to.hop.(*stream)
	if st != nil {
		interval, ended = pingTime, st.ended
	}
	remind := time.NewTicker(about(interval))
	defer remind.Stop()
	for {
		select {
		case <-ctx.Done():
			return true
		case <-refresh.C:
			return true
		case <-ended:
			r.log.Info().Msg("connection to the registrar ended")
			return false
		case <-remind.C:
		}
		if st == nil {
			_ = r.to.send([]byte("\r\n\r\n"), r.to.remote) // nothing comes of it but a NAT's memory
			continue
		}
		if err := st.ping(ctx); err != nil {
			r.log.Info().Err(err).Msg("registrar does not answer keep-alives")
			return false
		}
	}
}

// rest waits before the next attempt.
func rest(ctx context.Context, d time.Duration) {
	next := time.NewTimer(d)
	defer next.Stop()
	select {
	case <-next.C:
	case <-ctx.Done():
	}
}

// register sends REGISTER and returns when to refresh the binding, or when at the
// earliest to try again.
func (r *registration) register(ctx context.Context, expires time.Duration) (time.Duration, error) {
	for range 3 { // 423 may ask for a longer life, and a registrar for no end of it
		res, to, err := r.send(ctx, expires)
		switch {
		case err != nil:
			return 0, err
		case res.StatusCode == gosip.StatusIntervalToBrief:
			least := seconds(res, "Min-Expires")
			if least <= expires {
				return 0, refused(res)
			}
			expires, r.expires = least, least // §10.2.8
		case !res.IsSuccess():
			return seconds(res, "Retry-After"), refused(res)
		default:
			granted := r.granted(res, to, expires)
			if expires > 0 && granted <= 0 {
				return 0, fmt.Errorf("sip: the registrar grants nothing")
			}
			r.bound(to, granted)
			return about(granted / 2), nil
		}
	}
	return 0, fmt.Errorf("sip: the registrar never finds the time long enough")
}

// send sends one REGISTER with what answers its challenges.
func (r *registration) send(ctx context.Context, expires time.Duration) (*gosip.Response, link, error) {
	next := r.t.next(r.uri)
	r.learn(ctx, next)
	// A registrar's challenge comes every time; its answer is not worth keeping.
	q := inquiry{login: r.t.Register.Login, limit: registerLimit, seq: func() uint32 { r.seq++; return r.seq }}
	res, _, to, err := r.s.submit(ctx, next, q, func(to link) *gosip.Request {
		req := r.s.outside(r.t, gosip.REGISTER, r.uri, r.aor, to)
		r.seq++
		req.ReplaceHeader(&r.callID) // §10.2: the same for all of them
		req.ReplaceHeader(&gosip.CSeqHeader{SeqNo: r.seq, MethodName: gosip.REGISTER})
		from := &gosip.FromHeader{Address: r.aor}
		from.Params.Add("tag", r.tag)
		req.ReplaceHeader(from)
		req.ReplaceHeader(&gosip.ToHeader{Address: *r.aor.Clone()})
		req.ReplaceHeader(r.contact(to))
		req.AppendHeader(header("Expires", strconv.Itoa(int(expires/time.Second))))
		return req
	})
	return res, to, err
}

// contact is where the registrar sends our calls: its user tells them apart.
func (r *registration) contact(to link) *gosip.ContactHeader {
	h := r.s.contact(to)
	h.Address.User = r.t.Register.User
	return h
}

// learn makes the registrar's addresses the trunk's: its calls come from there.
func (r *registration) learn(ctx context.Context, next gosip.Uri) {
	targets, err := r.s.targets(ctx, next, link{})
	if err != nil {
		return // send says so
	}
	addrs := make([]netip.Addr, len(targets))
	for i, t := range targets {
		addrs[i] = t.addr.Addr()
	}
	r.servers.Store(&addrs)
}

// granted returns how long the registrar keeps our binding, of all that it lists
// (§10.2.4, §10.3 step 8).
func (r *registration) granted(res *gosip.Response, to link, asked time.Duration) time.Duration {
	ours := r.contact(to).Address
	whole := asked
	if len(values(res, "Expires")) > 0 {
		whole = seconds(res, "Expires")
	}
	listed := false
	for _, h := range res.GetHeaders("Contact") {
		c, ok := h.(*gosip.ContactHeader)
		if !ok || c.Address.User != ours.User || !sameHost(c.Address, ours) {
			listed = listed || ok
			continue
		}
		if v, ok := c.Params.Get("expires"); ok {
			if n, err := strconv.ParseUint(v, 10, 31); err == nil {
				return time.Duration(n) * time.Second
			}
		}
		return whole
	}
	if listed && asked > 0 {
		// An ALG or the registrar itself may have rewritten it: then it is one of
		// those that are listed, and the time asked for is as good as any.
		r.log.Debug().Msg("the registrar lists another contact than ours")
	}
	return whole
}

func sameHost(a, b gosip.Uri) bool {
	return strings.EqualFold(strings.Trim(a.Host, "[]"), strings.Trim(b.Host, "[]")) && a.Port == b.Port
}

// seconds returns the number that a header begins with, 0 without one.
func seconds(res *gosip.Response, name string) time.Duration {
	for _, v := range values(res, name) {
		digits, _, _ := strings.Cut(v, ";")
		digits, _, _ = strings.Cut(digits, "(") // Retry-After may have a comment
		if n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 31); err == nil {
			return time.Duration(n) * time.Second
		}
	}
	return 0
}

// bound notes a binding of that lifetime, or that there is none any more.
func (r *registration) bound(to link, granted time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lapse != nil {
		r.lapse.Stop()
	}
	r.to, r.lapse = to, nil
	now := granted > 0
	if now {
		var own *time.Timer
		own = time.AfterFunc(granted, func() { r.lapsed(&own) })
		r.lapse = own
	}
	if was := r.registered.Swap(now); now && !was {
		r.log.Info().Stringer("registrar", to.remote).Dur("expires_ms", granted).Msg("registered")
	}
}

// lapsed notes that the binding of a timer has ended without our doing.
func (r *registration) lapsed(timer **time.Timer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lapse != *timer {
		return // renewed in this very moment
	}
	r.lapse = nil
	if r.registered.Swap(false) {
		r.log.Warn().Msg("no longer registered: no calls come")
	}
}

// leave takes the binding back (§10.2.2), within bounds.
func (r *registration) leave(ctx context.Context) {
	if !r.registered.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, farewellTime)
	defer cancel()
	if _, err := r.register(ctx, 0); err != nil {
		r.log.Debug().Err(err).Msg("registration not taken back")
	}
	r.bound(r.to, 0)
}
