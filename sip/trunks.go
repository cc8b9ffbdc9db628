package sip

import (
	"cmp"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	gosip "github.com/emiago/sipgo/sip"
)

// trunk is a Trunk while it works. One that changes is replaced by another; calls
// keep the one that they began with.
type trunk struct {
	Trunk
	*lines
	binding *registration // keeps us registered; nil: Register is
	vigil   *vigil        // asks whether its server lives; nil: Keepalive is 0
}

// has reports whether addr is the trunk's.
func (t *trunk) has(addr netip.Addr) bool {
	return t.lists(addr) || t.binding != nil && t.binding.at(addr)
}

// lists reports whether addr is in one of the trunk's networks.
func (t *trunk) lists(addr netip.Addr) bool {
	return slices.ContainsFunc(t.From, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// known reports whether its calls are known by more than their password.
func (t *trunk) known() bool { return len(t.From) > 0 || t.Register != nil }

// trunks are all there are. What is known of them changes as a whole.
type trunks struct {
	unknown *trunk // of sources that are nobody's, and of calls out without a trunk
	now     atomic.Pointer[roster]
}

// roster is the trunks at one time. It does not change.
type roster struct {
	list []*trunk
	// former are those that were replaced or removed while they had calls.
	former []*trunk
}

func newTrunks(s *Server) (*trunks, error) {
	ts := &trunks{unknown: &trunk{Trunk: Trunk{Codecs: s.cfg.Codecs}, lines: &lines{}}}
	ts.now.Store(&roster{})
	first, err := ts.next(s, s.cfg.Trunks)
	if err == nil {
		ts.now.Store(first)
	}
	return ts, err
}

// next returns the trunks of that description. What does not change of those that
// are there goes on in them.
func (ts *trunks) next(s *Server, list []Trunk) (*roster, error) {
	r := &roster{}
	for _, t := range list {
		if find(r.list, t.Name) != nil {
			return nil, fmt.Errorf("sip: two trunks are named %q", t.Name)
		}
		complete, err := t.complete(&s.cfg)
		if err != nil {
			return nil, err
		}
		r.list = append(r.list, ts.successor(s, complete))
	}
	was := ts.now.Load()
	for _, t := range slices.Concat(was.former, was.list) {
		if t.busy() && !slices.Contains(r.list, t) {
			r.former = append(r.former, t)
		}
	}
	return r, nil
}

// successor returns the trunk that t describes, which may be one that is there.
func (ts *trunks) successor(s *Server, t Trunk) *trunk {
	was := ts.find(t.Name)
	if was != nil && reflect.DeepEqual(was.Trunk, t) {
		return was
	}
	next := &trunk{Trunk: t, lines: &lines{}}
	if had := cmp.Or(was, find(ts.now.Load().former, t.Name)); had != nil {
		next.lines = had.lines
	}
	next.binding = newRegistration(s, next, was)
	next.vigil = newVigil(next, was)
	return next
}

// all returns the trunks in the order of their description.
func (ts *trunks) all() []*trunk { return ts.now.Load().list }

// at returns the first trunk that addr belongs to, or nil.
func (ts *trunks) at(addr netip.Addr) *trunk {
	for _, t := range ts.all() {
		if t.has(addr) {
			return t
		}
	}
	return nil
}

// of returns the trunk that a request from addr belongs to, or nil. Where a registrar
// keeps several accounts of ours, the account's user is in the request's URI, as we
// gave it in Contact; else an account that is registered comes before one that is not.
func (ts *trunks) of(req *gosip.Request, addr netip.Addr) *trunk {
	var best *trunk
	for _, t := range ts.all() {
		switch {
		case !t.has(addr):
		case t.Register != nil && t.Register.User == req.Recipient.User:
			return t
		case best == nil || !best.reaches(addr) && t.reaches(addr):
			best = t
		}
	}
	return best
}

// reaches reports whether calls from addr are to be expected now.
func (t *trunk) reaches(addr netip.Addr) bool {
	return t.lists(addr) || t.binding.registered.Load()
}

// expects reports whether addr is a trunk's, or was when calls began that go on.
func (ts *trunks) expects(addr netip.Addr) bool {
	return ts.at(addr) != nil ||
		slices.ContainsFunc(ts.now.Load().former, func(t *trunk) bool { return t.has(addr) && t.busy() })
}

// facing returns the trunk that a server belongs to, by its name or address, or
// nil: whose authorities vouch for it.
func (ts *trunks) facing(host string, addr netip.Addr) *trunk {
	now := ts.now.Load()
	for _, t := range slices.Concat(now.list, now.former) {
		for _, text := range []string{t.Server, t.Proxy} {
			if uri, err := parseURI(text); err == nil && strings.EqualFold(strings.Trim(uri.Host, "[]"), host) {
				return t
			}
		}
	}
	return ts.at(addr)
}

// byPassword returns those whose calls may come from anywhere.
func (ts *trunks) byPassword() []*trunk {
	var list []*trunk
	for _, t := range ts.all() {
		if t.Caller.given() && !t.known() {
			list = append(list, t)
		}
	}
	return list
}

func (ts *trunks) find(name string) *trunk { return find(ts.all(), name) }

func find(list []*trunk, name string) *trunk {
	for _, t := range list {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// named returns the trunk of that name, "" being the one of nobody.
func (ts *trunks) named(name string) (*trunk, error) {
	if name == "" {
		return ts.unknown, nil
	}
	list := ts.all()
	if t := find(list, name); t != nil {
		return t, nil
	}
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.Name
	}
	return nil, fmt.Errorf("sip: no trunk is named %q: there are %s", name, strings.Join(names, ", "))
}
